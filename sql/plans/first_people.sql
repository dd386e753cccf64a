-- The first people of whom something is to be sent.
SELECT person_key
FROM crm.operation
WHERE account_id = :account_id AND state = 'pending' AND person_key IS NOT NULL
GROUP BY person_key
ORDER BY min(operation_id)
LIMIT :limit
