-- A cycle that only plans begins: it has a number of its own, and leaves the account's state alone.
WITH started AS (
    INSERT INTO crm.cycle (account_id, run_id, state, whole)
    VALUES (:account_id, :run_id, 'Processing', false)
    RETURNING cycle_id, account_id
)

SELECT
    n.cycle_id,
    s.watermark,
    s.api_used,
    s.api_limit,
    s.api_seen_at,
    s.latency_seconds,
    s.state AS state_before
FROM started AS n
LEFT JOIN crm.sync_state AS s ON n.account_id = s.account_id
