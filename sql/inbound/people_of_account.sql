SELECT address
FROM crm.person
WHERE account_id = :account_id AND address IS NOT NULL
