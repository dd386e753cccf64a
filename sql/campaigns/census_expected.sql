-- Of each campaign of an event that ended after a day, or whose end is not known, how many members are to
-- be there, by status, and how many are still to be sent.
WITH linked AS (
    SELECT
        c.event_id,
        c.campaign_id
    FROM crm.event_campaign AS c
    CROSS JOIN LATERAL (
        SELECT o.intent #>> '{campaign,EndDate}' AS ends
        FROM crm.operation AS o
        WHERE o.account_id = c.account_id AND o.natural_key = 'campaign:' || c.event_id
        ORDER BY o.version DESC
        LIMIT 1
    ) AS said
    WHERE c.account_id = :account_id AND coalesce(said.ends, '9999') >= :since
)

SELECT
    l.event_id,
    l.campaign_id,
    said.status,
    count(said.status) AS members,
    (
        SELECT count(*)
        FROM crm.operation AS w
        WHERE
            w.account_id = :account_id
            AND w.kind = 'member'
            AND w.state IN ('pending', 'in_flight', 'failed', 'exhausted')
            AND (w.intent ->> 'event_id')::bigint = l.event_id
    ) AS waiting
FROM linked AS l
LEFT JOIN crm.campaign_member AS m ON m.account_id = :account_id AND l.event_id = m.event_id
LEFT JOIN LATERAL (
    SELECT o.intent ->> 'Status' AS status
    FROM crm.operation AS o
    WHERE
        o.account_id = m.account_id
        AND o.natural_key = 'member:' || m.event_id || ':' || m.person_key
        AND o.state = 'done'
        AND NOT o.gone
    ORDER BY o.version DESC
    LIMIT 1
) AS said ON true
GROUP BY l.event_id, l.campaign_id, said.status
ORDER BY l.event_id
