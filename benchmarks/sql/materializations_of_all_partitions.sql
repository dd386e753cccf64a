-- Gives each partition of the accounts the materializations that one of them has.
INSERT INTO event_logs (
    run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition
)
SELECT
    e.run_id,
    replace(e.event, %(model)s::text, p.partition),
    e.dagster_event_type,
    e.timestamp,
    e.step_key,
    e.asset_key,
    p.partition
FROM event_logs AS e
INNER JOIN dynamic_partitions AS p ON p.partition <> %(model)s::text
WHERE e.partition = %(model)s::text AND e.dagster_event_type = 'ASSET_MATERIALIZATION'
