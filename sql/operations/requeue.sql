-- Gives failed and exhausted operations all of their attempts again, due at once; what a person
-- rejected while it was held, and was never tried, is pending again. One that a later version has
-- overtaken stays as it is: it would bring back older data.
UPDATE crm.operation AS o
SET
    state = CASE WHEN o.state = 'dropped' THEN 'pending' ELSE 'failed' END,
    reason_code = CASE WHEN o.state = 'dropped' THEN NULL ELSE o.reason_code END,
    finished_at = CASE WHEN o.state = 'dropped' THEN NULL ELSE o.finished_at END,
    attempts_left = o.attempts,
    next_attempt_at = CASE WHEN o.state <> 'dropped' THEN clock_timestamp() END
WHERE
    o.account_id = :account_id
    AND o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND (
        o.state IN ('failed', 'exhausted')
        OR (o.state = 'dropped' AND o.reason_code = 'HOLD_REJECTED')
    )
    AND NOT EXISTS (
        SELECT FROM crm.operation AS later
        WHERE
            later.account_id = o.account_id
            AND later.natural_key = o.natural_key
            AND later.version > o.version
    )
RETURNING o.operation_id
