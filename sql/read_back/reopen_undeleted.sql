-- These records are there. Operations that were wanted of one while people had it deleted are sent
-- now.
UPDATE crm.operation AS o
SET
    state = 'pending',
    attempts_left = o.attempts,
    sobject = NULL,
    action = NULL,
    salesforce_id = NULL,
    sent = NULL
FROM crm.record AS r
CROSS JOIN LATERAL (
    SELECT newest.operation_id
    FROM crm.operation AS newest
    WHERE
        newest.account_id = r.account_id
        AND newest.natural_key = r.natural_key
        AND newest.state <> 'superseded'
    ORDER BY newest.version DESC
    LIMIT 1
) AS latest
WHERE
    r.account_id = :account_id
    AND r.salesforce_id = any(CAST(:salesforce_ids AS text []))
    AND o.operation_id = latest.operation_id
    AND o.state = 'done'
    AND o.action = 'none'
    AND o.reason = :left_deleted
