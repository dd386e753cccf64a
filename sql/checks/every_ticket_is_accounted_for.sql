-- The newest version of each ticket is in the org, or queued; none waits longer than promised.
-- Parameters: account_ids; freshness_minutes.
SELECT
    a.account_id,
    count(o.natural_key) FILTER (
        WHERE o.state = 'pending'
        AND o.created_at < now() - make_interval(mins => :freshness_minutes)
    ) = 0 AS passed,
    count(o.natural_key) AS tickets,
    count(o.natural_key) FILTER (WHERE o.state = 'done') AS in_org,
    count(o.natural_key) FILTER (WHERE o.state NOT IN ('done', 'superseded')) AS queued
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN LATERAL (
    SELECT DISTINCT ON (w.natural_key) w.natural_key, w.state, w.created_at
    FROM crm.operation AS w
    WHERE w.account_id = a.account_id AND w.flow = 'feedback_records' AND w.kind = 'record'
    ORDER BY w.natural_key, w.version DESC
) AS o ON true
GROUP BY a.account_id
