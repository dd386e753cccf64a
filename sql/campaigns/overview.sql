-- Each event of an account that has to do with campaigns, its campaign, its members, and how far
-- reading it again has come.
SELECT
    e.event_id,
    coalesce(c.campaign_id, l.campaign_id) AS campaign_id,
    CASE
        WHEN l.event_id IS NOT NULL THEN 'named'
        WHEN c.event_id IS NOT NULL THEN 'found or created'
        ELSE 'not linked yet'
    END AS link,
    count(o.operation_id) FILTER (WHERE o.state = 'done') AS members,
    count(o.operation_id) FILTER (
        WHERE o.state IN ('pending', 'in_flight', 'failed', 'exhausted')
    ) AS waiting,
    b.rows AS backfill_rows,
    b.requested_at,
    b.done_at
FROM (
    SELECT x.event_id FROM crm.event_campaign AS x WHERE x.account_id = :account_id
    UNION
    SELECT x.event_id FROM crm.campaign_link AS x WHERE x.account_id = :account_id
    UNION
    SELECT x.event_id FROM crm.campaign_backfill AS x WHERE x.account_id = :account_id
) AS e
LEFT JOIN crm.event_campaign AS c ON c.account_id = :account_id AND e.event_id = c.event_id
LEFT JOIN crm.campaign_link AS l ON l.account_id = :account_id AND e.event_id = l.event_id
LEFT JOIN crm.campaign_backfill AS b ON b.account_id = :account_id AND e.event_id = b.event_id
LEFT JOIN crm.operation AS o
    ON
        o.account_id = :account_id
        AND o.kind = 'member'
        AND (o.intent ->> 'event_id')::bigint = e.event_id
GROUP BY e.event_id, c.event_id, c.campaign_id, l.event_id, l.campaign_id, b.rows, b.requested_at,
b.done_at
ORDER BY e.event_id
