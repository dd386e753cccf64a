-- Alerts of one account or (NULL) of all and the installation: those that are open, and those that
-- were so since a moment, where one is given; the newest last.
SELECT
    a.account_id,
    a.cause,
    a.message,
    a.began_at,
    a.closed_at,
    coalesce(k.targets, '') AS told
FROM crm.alert AS a
LEFT JOIN LATERAL (
    SELECT string_agg(t.target, ', ' ORDER BY t.target) AS targets
    FROM crm.alert_told AS t
    WHERE t.alert_id = a.alert_id AND t.target <> 'log'
) AS k ON true
WHERE
    (CAST(:account_id AS text) IS NULL OR a.account_id = :account_id)
    AND (a.closed_at IS NULL OR a.closed_at >= CAST(:since AS timestamptz))
ORDER BY a.began_at, a.alert_id
