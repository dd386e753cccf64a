WITH finished AS (
    UPDATE crm.cycle
    SET
        state = :state,
        reason = nullif(:reason, ''),
        counts = CAST(:counts AS jsonb),
        finished_at = clock_timestamp()
    WHERE cycle_id = :cycle_id
)

UPDATE crm.sync_state
SET
    state = :state,
    reason = nullif(:reason, ''),
    watermark = coalesce(
        (SELECT max(p.watermark) FROM crm.source_position AS p WHERE p.account_id = :account_id),
        watermark
    ),
    finished_at = clock_timestamp(),
    succeeded = :succeeded,
    failed = :failed,
    failures_in_a_row = CASE WHEN :state = 'Failed' THEN failures_in_a_row + 1 ELSE 0 END,
    claimed_until = NULL,
    paused_until = :paused_until,
    api_used = coalesce(:api_used, api_used),
    api_limit = coalesce(:api_limit, api_limit),
    api_seen_at = CASE WHEN CAST(:api_used AS integer) IS NULL THEN api_seen_at ELSE now() END,
    latency_seconds = coalesce(:latency_seconds, latency_seconds)
WHERE account_id = :account_id
RETURNING watermark
