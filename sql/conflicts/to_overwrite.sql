-- Fields of these people that a person wants to be as the source says.
SELECT person_key, field, wanted
FROM crm.field_conflict
WHERE
    account_id = :account_id
    AND decided = 'source'
    AND person_key = any(CAST(:person_keys AS bigint []))
