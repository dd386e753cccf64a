-- Each event, session or series of an account that has to do with campaigns, its campaign, its members,
-- how many of them were no-shows who turned out to have come, and how far reading it again has come.
SELECT
    e.campaign_key,
    coalesce(l.campaign_id, c.campaign_id) AS campaign_id,
    CASE
        WHEN l.campaign_key IS NOT NULL THEN 'named'
        WHEN c.campaign_key IS NOT NULL THEN 'found or created'
        ELSE 'not linked yet'
    END AS link,
    (
        SELECT count(*)
        FROM crm.campaign_member AS m
        WHERE m.account_id = :account_id AND m.campaign_key = e.campaign_key
    ) AS members,
    coalesce(open.members, 0) AS waiting,
    coalesce(came.members, 0) AS no_shows_taken_back,
    b.rows AS backfill_rows,
    b.requested_at,
    b.done_at
FROM (
    SELECT x.campaign_key FROM crm.event_campaign AS x WHERE x.account_id = :account_id
    UNION
    SELECT x.campaign_key FROM crm.campaign_link AS x WHERE x.account_id = :account_id
    UNION
    SELECT x.event_id::text FROM crm.campaign_backfill AS x WHERE x.account_id = :account_id
) AS e
LEFT JOIN crm.event_campaign AS c ON c.account_id = :account_id AND e.campaign_key = c.campaign_key
LEFT JOIN crm.campaign_link AS l ON l.account_id = :account_id AND e.campaign_key = l.campaign_key
LEFT JOIN crm.campaign_backfill AS b
    ON b.account_id = :account_id AND e.campaign_key = b.event_id::text
LEFT JOIN (
    SELECT
        crm.campaign_key(o.intent) AS campaign_key,
        count(*) AS members
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'member'
        AND o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
    GROUP BY 1
) AS open ON e.campaign_key = open.campaign_key
LEFT JOIN (
    SELECT
        crm.campaign_key(o.intent) AS campaign_key,
        count(*) AS members
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'member'
        AND o.state = 'done'
        AND o.version > 1
        AND o.intent ->> 'stage' IN ('attended', 'attended_on_demand', 'follow_up_requested')
        AND NOT EXISTS (
            SELECT FROM crm.operation AS later
            WHERE
                later.account_id = o.account_id
                AND later.natural_key = o.natural_key
                AND later.version > o.version
                AND later.state = 'done'
        )
        AND EXISTS (
            SELECT FROM crm.operation AS earlier
            WHERE
                earlier.account_id = o.account_id
                AND earlier.natural_key = o.natural_key
                AND earlier.version < o.version
                AND earlier.state = 'done'
                AND earlier.intent ->> 'stage' = 'no_show'
        )
    GROUP BY 1
) AS came ON e.campaign_key = came.campaign_key
-- Events by their numbers, then sessions, then series.
ORDER BY
    e.campaign_key LIKE '%:%',
    e.campaign_key LIKE 'series:%',
    length(e.campaign_key),
    e.campaign_key
