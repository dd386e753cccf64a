-- Fields of these people about which a person is to decide, or has decided, and what the source said.
SELECT person_key, field, coalesce(decided = 'source', false) AS overwrites, wanted
FROM crm.field_conflict
WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
