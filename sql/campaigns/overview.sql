-- Each event of an account that has to do with campaigns, its campaign, its members, and how far
-- reading it again has come.
SELECT
    e.event_id,
    coalesce(l.campaign_id, c.campaign_id) AS campaign_id,
    CASE
        WHEN l.event_id IS NOT NULL THEN 'named'
        WHEN c.event_id IS NOT NULL THEN 'found or created'
        ELSE 'not linked yet'
    END AS link,
    (
        SELECT count(*)
        FROM crm.campaign_member AS m
        WHERE m.account_id = :account_id AND m.event_id = e.event_id
    ) AS members,
    coalesce(open.members, 0) AS waiting,
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
LEFT JOIN (
    SELECT
        (o.intent ->> 'event_id')::bigint AS event_id,
        count(*) AS members
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'member'
        AND o.state IN ('pending', 'in_flight', 'failed', 'exhausted')
    GROUP BY 1
) AS open ON e.event_id = open.event_id
ORDER BY e.event_id
