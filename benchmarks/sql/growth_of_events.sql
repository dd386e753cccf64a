-- Dagster's events by kind: how many, and the bytes of their text. Lines of the log have no kind.
SELECT
    coalesce(e.dagster_event_type, 'line of the log') AS name,
    count(*) AS rows,
    sum(octet_length(e.event)) AS bytes
FROM event_logs AS e
GROUP BY 1
