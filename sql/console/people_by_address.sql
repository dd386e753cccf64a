-- The numbers of the people of an account who have some addresses.
SELECT address, person_key
FROM crm.person
WHERE account_id = :account_id AND address = any(CAST(:addresses AS text []))
