WITH before AS (
    SELECT b.state FROM crm.sync_state AS b WHERE b.account_id = :account_id
),

started AS (
    INSERT INTO crm.cycle (account_id, run_id, state)
    VALUES (:account_id, :run_id, 'Processing')
    RETURNING cycle_id, started_at
),

abandoned AS (
    UPDATE crm.cycle
    SET
        state = 'Failed',
        finished_at = now(),
        reason = 'The process ended in the middle of it; the next cycle went on from there.'
    WHERE account_id = :account_id AND state = 'Processing'
)

INSERT INTO crm.sync_state (account_id, state, cycle_id, run_id, started_at)
SELECT :account_id, 'Processing', s.cycle_id, :run_id, s.started_at
FROM started AS s
ON CONFLICT (account_id) DO UPDATE
SET
    state = 'Processing',
    reason = NULL,
    notes = NULL,
    cycle_id = excluded.cycle_id,
    run_id = excluded.run_id,
    started_at = excluded.started_at,
    finished_at = NULL
RETURNING
    cycle_id, watermark, api_used, api_limit, api_seen_at, latency_seconds,
    (SELECT b.state FROM before AS b) AS state_before
