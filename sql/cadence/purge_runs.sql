-- Deletes runs with their events; Dagster's tags of a run go with it by themselves.
WITH gone AS (
    DELETE FROM event_logs
    WHERE run_id = any(CAST(:run_ids AS text []))
    RETURNING id
),

tags AS (
    DELETE FROM asset_event_tags
    WHERE event_id IN (SELECT id FROM gone)
),

run AS (
    DELETE FROM runs
    WHERE run_id = any(CAST(:run_ids AS text []))
)

SELECT count(*) FROM gone
