-- An attempt that failed lowers what remains; one that is hopeless leaves nothing.
UPDATE crm.operation AS o
SET
    state = CASE WHEN o.attempts_left - f.attempts <= 0 THEN 'exhausted' ELSE 'failed' END,
    attempts_left = greatest(o.attempts_left - f.attempts, 0),
    next_attempt_at = CASE
        WHEN o.attempts_left - f.attempts > 0
            THEN clock_timestamp() + make_interval(
                secs => :backoff_seconds * power(2, 5 - o.attempts_left)
                * (0.8 + 0.4 * random())
            )
    END,
    error_code = f.error_code,
    error_message = f.error_message,
    sent_by = :cycle_id
FROM
    unnest(
        CAST(:operation_ids AS bigint []),
        CAST(:error_codes AS text []),
        CAST(:error_messages AS text []),
        CAST(:attempts AS smallint [])
    ) AS f (operation_id, error_code, error_message, attempts)
WHERE o.operation_id = f.operation_id
RETURNING o.operation_id, o.state
