-- Gives failed and exhausted operations all of their attempts again, due at once. One that a
-- later version has overtaken stays as it is: it would bring back older data.
UPDATE crm.operation AS o
SET state = 'failed', attempts_left = o.attempts, next_attempt_at = clock_timestamp()
WHERE
    o.account_id = :account_id
    AND o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.state IN ('failed', 'exhausted')
    AND NOT EXISTS (
        SELECT FROM crm.operation AS later
        WHERE
            later.account_id = o.account_id
            AND later.natural_key = o.natural_key
            AND later.version > o.version
    )
RETURNING o.operation_id
