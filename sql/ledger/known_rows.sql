-- Which of these natural keys are known, and as of when.
SELECT o.natural_key, max(o.as_of) AS as_of
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.natural_key = any(CAST(:natural_keys AS text []))
GROUP BY o.natural_key
