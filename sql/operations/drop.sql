-- Gives failed and exhausted operations up for good.
UPDATE crm.operation
SET
    state = 'dropped',
    reason = :reason,
    next_attempt_at = NULL,
    finished_at = clock_timestamp()
WHERE
    account_id = :account_id
    AND operation_id = any(CAST(:operation_ids AS bigint []))
    AND state IN ('failed', 'exhausted')
RETURNING operation_id
