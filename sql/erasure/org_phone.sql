DELETE FROM crm.org_phone
WHERE account_id = :account_id AND salesforce_id = any(CAST(:record_ids AS text []))
