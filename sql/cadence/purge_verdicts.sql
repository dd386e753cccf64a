-- Deletes verdicts of checks from before the last :days days, except the latest for each account.
WITH gone AS (
    DELETE FROM asset_check_executions AS old
    WHERE
        old.create_timestamp < now() - make_interval(days => :days)
        AND EXISTS (
            SELECT FROM asset_check_executions AS newer
            WHERE
                newer.asset_key = old.asset_key
                AND newer.check_name = old.check_name
                AND newer.partition IS NOT DISTINCT FROM old.partition
                AND newer.id > old.id
        )
    RETURNING 1
)

SELECT count(*) FROM gone
