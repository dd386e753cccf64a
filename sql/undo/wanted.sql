-- What of a cycle is wanted to be as it was, and waits; of what failed only that which is not wanted anew.
WITH unsettled AS (
    SELECT o.operation_id, o.intent ->> 'id' AS salesforce_id, o.state IN ('failed', 'exhausted') AS failed
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'undo'
        AND o.state IN ('pending', 'in_flight', 'failed', 'exhausted')
        AND starts_with(o.natural_key, 'undo:' || CAST(:cycle_id AS text) || ':')
)

SELECT u.operation_id
FROM unsettled AS u
WHERE
    NOT u.failed
    OR u.salesforce_id NOT IN (SELECT w.salesforce_id FROM unsettled AS w WHERE NOT w.failed)
ORDER BY u.operation_id
