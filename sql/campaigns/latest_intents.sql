-- The last intent of each of these natural keys, and whether any version of it was sent.
SELECT DISTINCT ON (o.natural_key)
    o.natural_key,
    o.as_of,
    o.intent,
    o.memory,
    bool_or(o.state = 'done' OR o.sent_at IS NOT NULL) OVER (PARTITION BY o.natural_key) AS was_sent
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.natural_key = any(CAST(:natural_keys AS text []))
ORDER BY o.natural_key, o.version DESC
