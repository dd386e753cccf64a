SELECT person_key, value, as_of
FROM crm.person_pointer
WHERE person_key = any(CAST(:person_keys AS bigint [])) AND kind = 'platform'
