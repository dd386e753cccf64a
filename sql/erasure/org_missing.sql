DELETE FROM crm.org_missing
WHERE account_id = :account_id AND salesforce_id = any(CAST(:record_ids AS text []))
