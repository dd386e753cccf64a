-- Waits for a second at most.
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', '1s', true) AS said
)

SELECT pg_advisory_xact_lock(hashtextextended('crm_pipeline tombstones ' || :account_id, 0))
FROM patience
WHERE said IS NOT NULL
