SELECT person_key, value
FROM crm.person_pointer
WHERE person_key = any(CAST(:person_keys AS bigint [])) AND kind = 'platform'
