-- A cycle of some steps leaves the account's state as it was: it does not speak for the account.
WITH before AS (
    SELECT b.state FROM crm.sync_state AS b WHERE b.account_id = :account_id
),

started AS (
    INSERT INTO crm.cycle (account_id, run_id, state, whole)
    VALUES (:account_id, :run_id, 'Processing', :whole)
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

INSERT INTO crm.sync_state AS s (account_id, state, cycle_id, run_id, started_at)
SELECT
    :account_id,
    CASE WHEN :whole THEN 'Processing' ELSE 'New' END,
    n.cycle_id,
    :run_id,
    -- Whoever changed the settings may have done so by a clock that was set back since.
    greatest(n.started_at, a.updated_at)
FROM started AS n
LEFT JOIN crm.account AS a ON a.account_id = :account_id
ON CONFLICT (account_id) DO UPDATE
SET (state, reason, notes, cycle_id, run_id, started_at, finished_at) = (
    SELECT 'Processing', NULL, NULL, excluded.cycle_id, excluded.run_id, excluded.started_at, NULL
    WHERE :whole
    UNION ALL
    SELECT s.state, s.reason, s.notes, s.cycle_id, s.run_id, s.started_at, s.finished_at
    WHERE NOT :whole
)
RETURNING
    (SELECT n.cycle_id FROM started AS n) AS cycle_id,
    watermark, api_used, api_limit, api_seen_at, latency_seconds,
    (SELECT b.state FROM before AS b) AS state_before
