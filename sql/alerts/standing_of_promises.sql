-- The facts of each enabled account that people may have to be told: refused credentials,
-- operations that have used up their tries, since when the oldest operation waits, cycles that failed,
-- incidents, removals that wait, somebody who was erased and was found; with its settings, which say
-- whose sources are asked for unread rows.
SELECT
    a.account_id,
    a.client_id,
    a.name,
    a.created_at,
    coalesce(f.state, s.state, 'New') AS state,
    coalesce(f.reason, s.reason, i.causes, '') AS reason,
    coalesce(c.refused_reason, '') AS refused,
    o.exhausted,
    d.hold_id,
    o.waiting_since,
    coalesce(s.failures_in_a_row, 0) AS failures,
    CASE WHEN f.state = 'Failed' THEN coalesce(f.reason, '') ELSE '' END AS failed_reason,
    coalesce(i.causes, '') AS incidents,
    r.removals,
    r.removals_since,
    coalesce(array_to_string(e.places, ', '), '') AS erased_in,
    coalesce(
        'until ' || to_char(p.paused_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC by '
        || p.paused_by || coalesce(' (' || p.why || ')', ''),
        ''
    ) AS paused,
    a.settings::text AS settings,
    a.updated_at AS changed_at
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN crm.credential AS c ON a.account_id = c.account_id AND c.refused_at IS NOT NULL
LEFT JOIN crm.hold AS d ON a.account_id = d.account_id AND d.decision IS NULL
LEFT JOIN crm.erasure_scan AS e ON a.account_id = e.account_id AND e.places <> '{}'
LEFT JOIN crm.alert_pause AS p ON a.account_id = p.account_id AND p.paused_until > now()
CROSS JOIN LATERAL (
    SELECT count(*) AS removals, min(q.received_at) AS removals_since
    FROM crm.request AS q
    WHERE q.account_id = a.account_id AND q.state = 'pending' AND q.kind = 'removal'
) AS r
LEFT JOIN LATERAL (
    -- An account that is at its next cycle stands as the last one left it.
    SELECT l.state, l.reason
    FROM crm.cycle AS l
    WHERE
        l.account_id = a.account_id
        AND l.whole
        AND l.finished_at IS NOT NULL
        AND (s.failures_in_a_row > 0 OR s.state = 'Processing')
    ORDER BY l.cycle_id DESC
    LIMIT 1
) AS f ON true
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE w.state = 'exhausted') AS exhausted,
        min(w.created_at) FILTER (WHERE w.state <> 'exhausted') AS waiting_since
    FROM crm.operation AS w
    WHERE
        w.account_id = a.account_id
        AND w.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
) AS o
LEFT JOIN LATERAL (
    SELECT
        string_agg(h.code || ' holds up ' || h.subject || ' records', ', ' ORDER BY h.incident_id)
            AS causes
    FROM crm.incident AS h
    WHERE h.account_id = a.account_id AND h.closed_at IS NULL
) AS i ON true
WHERE a.enabled
ORDER BY a.account_id
