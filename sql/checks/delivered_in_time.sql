-- The wait for Salesforce so far of everything read (exhausted operations are another check's), and
-- whether rows wait unread: then there is an alert from after the last complete cycle.
SELECT
    a.account_id,
    coalesce(o.oldest > now() - make_interval(mins => :freshness_minutes), true)
    AND l.alert_id IS NULL AS passed,
    o.waiting,
    coalesce(extract(epoch FROM now() - o.oldest) / 60, 0)::double precision AS oldest_minutes,
    (l.alert_id IS NOT NULL)::integer AS alerts
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN crm.alert AS l
    ON
        a.account_id = l.account_id
        AND l.cause = 'late'
        AND l.closed_at IS NULL
        AND (s.state IS DISTINCT FROM 'Complete' OR l.raised_at > s.finished_at)
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(w.created_at) AS oldest
    FROM crm.operation AS w
    WHERE w.account_id = a.account_id AND w.state IN ('pending', 'held', 'in_flight', 'failed')
) AS o
WHERE a.account_id = any(CAST(:account_ids AS text []))
