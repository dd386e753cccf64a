-- Events that belong to no run: verdicts that a sensor has reported.
SELECT id
FROM event_logs
WHERE
    run_id = ''
    AND dagster_event_type = 'ASSET_CHECK_EVALUATION'
    AND timestamp < now() - make_interval(days => :days)
ORDER BY id
