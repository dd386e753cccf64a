DELETE FROM crm.external_activity
WHERE account_id = :account_id AND natural_key = any(CAST(:natural_keys AS text []))
