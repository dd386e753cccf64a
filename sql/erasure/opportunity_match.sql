DELETE FROM crm.opportunity_match
WHERE account_id = :account_id AND lead_id = any(CAST(:lead_ids AS text []))
