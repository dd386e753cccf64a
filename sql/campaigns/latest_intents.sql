-- The last intent of each of these natural keys.
SELECT DISTINCT ON (o.natural_key) o.natural_key, o.as_of, o.intent, o.memory
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.natural_key = any(CAST(:natural_keys AS text []))
ORDER BY o.natural_key, o.version DESC
