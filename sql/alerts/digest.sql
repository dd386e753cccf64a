-- The 24 hours up to a moment, of each enabled account: what its cycles did, and what is amiss.
-- Steps that ran without the others count, too.
SELECT
    a.account_id,
    a.name,
    coalesce(c.created, 0) AS created,
    coalesce(c.updated, 0) AS updated,
    coalesce(c.deleted, 0) AS deleted,
    coalesce(c.failed, 0) AS failed,
    coalesce(c.calls, 0) AS calls,
    CASE WHEN s.api_limit > 0 THEN 100.0 * s.api_used / s.api_limit END::double precision AS share,
    EXISTS (
        SELECT FROM crm.alert AS l
        WHERE
            l.account_id = a.account_id
            AND l.cause = 'late'
            AND l.began_at < CAST(:until AS timestamptz)
            AND (l.closed_at IS NULL OR l.closed_at >= CAST(:until AS timestamptz) - interval '1 day')
    ) AS late,
    EXISTS (
        SELECT FROM crm.hold AS h
        WHERE
            h.account_id = a.account_id
            AND h.held_at < CAST(:until AS timestamptz)
            AND (
                h.decision IS NULL OR h.decided_at >= CAST(:until AS timestamptz) - interval '1 day'
            )
    ) AS held
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN (
    SELECT
        e.account_id,
        sum(n.created)::bigint AS created,
        sum(n.updated)::bigint AS updated,
        sum(n.deleted)::bigint AS deleted,
        sum(n.failed)::bigint AS failed,
        sum(CAST(e.counts ->> 'api_calls' AS bigint))::bigint AS calls
    FROM crm.cycle AS e
    CROSS JOIN LATERAL (
        SELECT
            sum(CAST(t.outcomes ->> 'create' AS bigint)) AS created,
            sum(CAST(t.outcomes ->> 'update' AS bigint)) AS updated,
            sum(CAST(t.outcomes ->> 'delete' AS bigint)) AS deleted,
            sum(CAST(t.outcomes ->> 'failed' AS bigint)) AS failed
        FROM jsonb_each(e.counts -> 'topics') AS t (topic, outcomes)
    ) AS n
    WHERE
        e.finished_at < CAST(:until AS timestamptz)
        AND e.finished_at >= CAST(:until AS timestamptz) - interval '1 day'
    GROUP BY e.account_id
) AS c ON a.account_id = c.account_id
WHERE a.enabled
ORDER BY a.account_id
