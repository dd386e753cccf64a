-- Some alerts that were over before these days, but those of whose end a target is still to be told that
-- takes nothing now.
DELETE FROM crm.alert AS a
WHERE a.alert_id = any(
    array(
        SELECT o.alert_id
        FROM crm.alert AS o
        WHERE
            o.closed_at < now() - make_interval(days => :days)
            AND NOT EXISTS (
                SELECT FROM crm.alert_told AS k
                INNER JOIN crm.alert_target AS t ON k.target = t.target AND t.problem IS NOT NULL
                WHERE k.alert_id = o.alert_id AND k.end_told_at IS NULL
            )
        LIMIT :limit
    )
)
