-- Verdicts of checks from before the last :days days, without the newest on each
-- partition. NULL, where a check is of no partition, is a group of its own: a join by it could
-- not be hashed.
WITH newest AS (
    SELECT max(id) AS id
    FROM asset_check_executions
    GROUP BY asset_key, check_name, partition
)

SELECT v.id
FROM asset_check_executions AS v
LEFT JOIN newest AS n ON v.id = n.id
WHERE n.id IS NULL AND v.create_timestamp < now() - make_interval(days => :days)
ORDER BY v.id
