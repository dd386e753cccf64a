DELETE FROM crm.sobject_schema WHERE account_id = :account_id AND sobject = any(CAST(:sobjects AS text []))
