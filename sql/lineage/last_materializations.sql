-- The latest materialization of partitions of assets, but of those whose mark is another one by now:
-- it was observed since, or was to be materialized by a run that did not end well.
-- Tables are Dagster's own.
SELECT
    k.asset_key,
    p.partition,
    m.event
FROM unnest(CAST(:asset_keys AS text [])) AS k (asset_key)
CROSS JOIN unnest(CAST(:partitions AS text [])) AS p (partition)
CROSS JOIN LATERAL (
    SELECT
        e.id,
        e.event
    FROM event_logs AS e
    WHERE
        e.asset_key = k.asset_key
        AND e.dagster_event_type = 'ASSET_MATERIALIZATION'
        AND e.partition = p.partition
    ORDER BY e.id DESC
    LIMIT 1
) AS m
WHERE
    NOT EXISTS (
        SELECT FROM event_logs AS o
        WHERE
            o.asset_key = k.asset_key
            AND o.dagster_event_type = 'ASSET_OBSERVATION'
            AND o.partition = p.partition
            AND o.id > m.id
    )
    AND NOT EXISTS (
        SELECT FROM event_logs AS planned
        INNER JOIN runs AS r ON planned.run_id = r.run_id
        WHERE
            planned.asset_key = k.asset_key
            AND planned.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
            AND planned.partition = p.partition
            AND planned.id > m.id
            AND r.status <> 'SUCCESS'
            AND r.run_id <> :run_id
    )
