-- Of checks on materializations of partitions, those whose latest verdict is that they hold.
-- Tables are Dagster's own.
SELECT
    j.asset_key,
    j.check_name,
    j.partition
FROM unnest(
    CAST(:asset_keys AS text []),
    CAST(:check_names AS text []),
    CAST(:partitions AS text []),
    CAST(:materializations AS bigint [])
) AS j (asset_key, check_name, partition, materialization)
CROSS JOIN LATERAL (
    SELECT v.execution_status
    FROM asset_check_executions AS v
    WHERE
        v.asset_key = j.asset_key
        AND v.check_name = j.check_name
        AND v.materialization_event_storage_id = j.materialization
        AND v.partition = j.partition
    ORDER BY v.id DESC
    LIMIT 1
) AS latest
WHERE latest.execution_status = 'SUCCEEDED'
