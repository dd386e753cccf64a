-- What each of some targets is to be told: that an alert has begun, or is another one now, once it
-- has lasted as long as its cause asks for, unless the account's alerts are paused; and that one is
-- over, of which it was told that it has begun; with the run of the account's last whole cycle.
-- Parameters: targets; causes, after_minutes: how long an alert of each has to last.
SELECT
    n.target,
    a.alert_id,
    a.account_id,
    a.cause,
    a.message,
    a.began_at,
    a.raised_at,
    a.closed_at,
    a.version,
    (
        SELECT c.run_id FROM crm.cycle AS c
        WHERE c.account_id = a.account_id AND c.whole AND c.finished_at IS NOT NULL
        ORDER BY c.cycle_id DESC
        LIMIT 1
    ) AS run_id
FROM (
    SELECT t.target, a.alert_id
    FROM crm.alert AS a
    CROSS JOIN unnest(CAST(:targets AS text [])) AS t (target)
    INNER JOIN unnest(
        CAST(:causes AS text []), CAST(:after_minutes AS integer [])
    ) AS c (cause, after_minutes) ON a.cause = c.cause
    LEFT JOIN crm.alert_told AS k ON a.alert_id = k.alert_id AND t.target = k.target
    WHERE
        a.closed_at IS NULL
        AND coalesce(k.version, 0) < a.version
        AND a.began_at <= now() - make_interval(mins => c.after_minutes)
        AND (
            a.cause = 'alerts paused'
            OR t.target = 'log'
            OR NOT EXISTS (
                SELECT FROM crm.alert_pause AS p
                WHERE p.account_id = a.account_id AND p.paused_until > now()
            )
        )
    UNION ALL
    SELECT k.target, k.alert_id
    FROM crm.alert_told AS k
    INNER JOIN crm.alert AS a ON k.alert_id = a.alert_id
    WHERE
        k.end_told_at IS NULL
        AND k.target = any(CAST(:targets AS text []))
        AND a.closed_at IS NOT NULL
) AS n
INNER JOIN crm.alert AS a ON n.alert_id = a.alert_id
ORDER BY a.alert_id, n.target
