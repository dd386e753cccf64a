-- Of each campaign of an event that ended after a day, or whose end is not known, how many members are to
-- be there, by status, and how many are still to be sent.
WITH linked AS (
    SELECT
        c.campaign_key,
        c.campaign_id
    FROM crm.event_campaign AS c
    CROSS JOIN LATERAL (
        SELECT o.intent #>> '{campaign,EndDate}' AS ends
        FROM crm.operation AS o
        WHERE o.account_id = c.account_id AND o.natural_key = 'campaign:' || c.campaign_key
        ORDER BY o.version DESC
        LIMIT 1
    ) AS said
    WHERE
        c.account_id = :account_id
        -- Nobody is a member of the campaign of a series by us.
        AND c.campaign_key NOT LIKE 'series:%'
        AND coalesce(said.ends, '9999') >= :since
)

SELECT
    l.campaign_key,
    l.campaign_id,
    said.status,
    count(said.status) AS members,
    (
        SELECT count(*)
        FROM crm.operation AS w
        WHERE
            w.account_id = :account_id
            AND w.kind = 'member'
            AND w.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
            AND crm.campaign_key(w.intent) = l.campaign_key
    ) AS waiting
FROM linked AS l
LEFT JOIN crm.campaign_member AS m ON m.account_id = :account_id AND l.campaign_key = m.campaign_key
LEFT JOIN LATERAL (
    SELECT o.intent ->> 'Status' AS status
    FROM crm.operation AS o
    WHERE
        o.account_id = m.account_id
        AND o.natural_key = 'member:' || m.campaign_key || ':' || m.person_key
        AND o.state = 'done'
        AND NOT o.gone
    ORDER BY o.version DESC
    LIMIT 1
) AS said ON true
GROUP BY l.campaign_key, l.campaign_id, said.status
ORDER BY l.campaign_key
