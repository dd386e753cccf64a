-- People deleted these records: what stood for them is forgotten, and the latest version of each
-- is sent again.
WITH gone AS (
    DELETE FROM crm.record AS r
    WHERE
        r.account_id = :account_id
        AND r.salesforce_id = any(CAST(:salesforce_ids AS text []))
    RETURNING r.account_id, r.natural_key
)

UPDATE crm.operation AS o
SET
    state = 'pending',
    attempts_left = o.attempts,
    sobject = NULL,
    action = NULL,
    salesforce_id = NULL,
    sent = NULL
FROM gone AS g
CROSS JOIN LATERAL (
    SELECT newest.operation_id
    FROM crm.operation AS newest
    WHERE
        newest.account_id = g.account_id
        AND newest.natural_key = g.natural_key
        AND newest.state <> 'superseded'
    ORDER BY newest.version DESC
    LIMIT 1
) AS latest
WHERE o.operation_id = latest.operation_id AND o.state = 'done'
