-- Gives each partition of the accounts the verdicts that one of them has, on its latest
-- materialization; that one's own, too, are about its latest.
WITH latest AS (
    SELECT
        asset_key,
        partition,
        max(id) AS materialization
    FROM event_logs
    WHERE dagster_event_type = 'ASSET_MATERIALIZATION'
    GROUP BY asset_key, partition
),

of_the_model AS (
    DELETE FROM asset_check_executions
    WHERE partition = %(model)s::text
    RETURNING *
)

INSERT INTO asset_check_executions (
    asset_key,
    check_name,
    partition,
    run_id,
    execution_status,
    evaluation_event,
    evaluation_event_timestamp,
    evaluation_event_storage_id,
    materialization_event_storage_id
)
SELECT
    m.asset_key,
    m.check_name,
    p.partition,
    m.run_id,
    m.execution_status,
    replace(m.evaluation_event, %(model)s::text, p.partition),
    m.evaluation_event_timestamp,
    m.evaluation_event_storage_id,
    l.materialization
FROM of_the_model AS m
CROSS JOIN dynamic_partitions AS p
LEFT JOIN latest AS l ON m.asset_key = l.asset_key AND p.partition = l.partition
