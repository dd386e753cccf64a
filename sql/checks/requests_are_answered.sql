-- Requests of each account that wait for longer than the promised time, and those that failed.
SELECT
    a.account_id,
    count(r.seq) FILTER (
        WHERE r.state = 'pending'
        AND r.received_at < now() - make_interval(mins => :freshness_minutes)
    ) = 0 AS passed,
    count(r.seq) FILTER (WHERE r.state = 'pending') AS waiting,
    count(r.seq) FILTER (WHERE r.state = 'failed') AS failed,
    coalesce(
        extract(
            EPOCH FROM now() - min(r.received_at) FILTER (WHERE r.state = 'pending')
        ) / 3600,
        0
    )::double precision AS hours_since_the_oldest
FROM crm.account AS a
LEFT JOIN crm.request AS r ON a.account_id = r.account_id
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
