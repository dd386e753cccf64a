DELETE FROM crm.person_alias
WHERE account_id = :account_id AND address = any(CAST(:addresses AS text []))
