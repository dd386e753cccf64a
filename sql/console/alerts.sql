-- What people were told, and are to be told, newest first; and when a target took it first.
SELECT
    a.alert_id,
    a.account_id,
    a.cause,
    a.message,
    a.began_at,
    a.closed_at,
    (
        SELECT min(t.told_at) FROM crm.alert_told AS t
        WHERE t.alert_id = a.alert_id AND t.target <> 'log'
    ) AS told_at
FROM crm.alert AS a
WHERE
    (CAST(:after AS bigint) IS NULL OR a.alert_id < :after)
    AND (CAST(:account_id AS text) IS NULL OR a.account_id = :account_id)
    AND (NOT :open_only OR a.closed_at IS NULL)
ORDER BY a.alert_id DESC
LIMIT :limit
