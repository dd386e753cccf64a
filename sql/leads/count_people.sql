SELECT count(DISTINCT person_key) FROM crm.tracked_lead WHERE account_id = :account_id
