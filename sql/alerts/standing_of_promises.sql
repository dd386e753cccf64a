-- The facts of each enabled account that people may have to be told: refused credentials,
-- operations that have used up their tries, and since when the oldest operation waits; with its
-- settings, which say whose sources are asked for unread rows.
SELECT
    a.account_id,
    a.client_id,
    a.name,
    a.created_at,
    coalesce(s.state, 'New') AS state,
    coalesce(s.reason, i.causes, '') AS reason,
    coalesce(c.refused_reason, '') AS refused,
    o.exhausted,
    d.hold_id,
    o.waiting_since,
    a.settings::text AS settings,
    a.updated_at AS changed_at
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN crm.credential AS c ON a.account_id = c.account_id AND c.refused_at IS NOT NULL
LEFT JOIN crm.hold AS d ON a.account_id = d.account_id AND d.decision IS NULL
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
