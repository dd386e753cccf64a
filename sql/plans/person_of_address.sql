SELECT person_key
FROM crm.person
WHERE account_id = :account_id AND address = :address
