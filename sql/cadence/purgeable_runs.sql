-- Runs that ended before the last :days days, without those that hold the latest event of an
-- account's or a day's partition: what the UI shows of an account that was idle since stays there,
-- and so do trends.
-- Tables are Dagster's own.
WITH kept AS (
    SELECT DISTINCT e.run_id
    FROM event_logs AS e
    INNER JOIN (
        SELECT max(l.id) AS id
        FROM event_logs AS l
        INNER JOIN dynamic_partitions AS d ON l.partition = d.partition
        WHERE
            d.partitions_def_name = any(CAST(:partitions AS text []))
            AND l.asset_key IS NOT NULL
            AND l.dagster_event_type IN (
                'ASSET_MATERIALIZATION', 'ASSET_MATERIALIZATION_PLANNED'
            )
        GROUP BY l.asset_key, l.dagster_event_type, l.partition
    ) AS latest ON e.id = latest.id
)

SELECT r.run_id
FROM runs AS r
WHERE
    r.status IN ('SUCCESS', 'FAILURE', 'CANCELED')
    AND r.update_timestamp < now() - make_interval(days => :days)
    AND NOT EXISTS (SELECT FROM kept AS k WHERE k.run_id = r.run_id)
ORDER BY r.id
