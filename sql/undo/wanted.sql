-- What of a cycle is wanted to be as it was, and waits.
SELECT o.operation_id
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'undo'
    AND o.state IN ('pending', 'in_flight', 'failed', 'exhausted')
    AND starts_with(o.natural_key, 'undo:' || CAST(:cycle_id AS text) || ':')
ORDER BY o.operation_id
