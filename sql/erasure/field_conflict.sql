DELETE FROM crm.field_conflict
WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
