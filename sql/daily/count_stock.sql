-- Counts what there is, as today's number; what was there earlier today and is gone is none.
INSERT INTO daily.stock AS n (account_id, day, what, object, number, counted_at)
SELECT
    c.account_id,
    daily.of(now()),
    c.what,
    c.object,
    sum(c.number),
    now()
FROM (
    SELECT
        i.account_id,
        'people' AS what,
        i.sobject AS object,
        count(*) AS number
    FROM crm.identity AS i
    GROUP BY i.account_id, i.sobject
    UNION ALL
    SELECT
        m.account_id,
        'members' AS what,
        'CampaignMember' AS object,
        count(DISTINCT m.member_id) AS number
    FROM crm.campaign_member AS m
    GROUP BY m.account_id
    UNION ALL
    SELECT
        l.account_id,
        'campaigns' AS what,
        'Campaign' AS object,
        count(DISTINCT l.campaign_id) AS number
    FROM crm.linked_campaign AS l
    GROUP BY l.account_id
    UNION ALL
    SELECT
        r.account_id,
        'records' AS what,
        r.sobject AS object,
        count(*) AS number
    FROM crm.record AS r
    GROUP BY r.account_id, r.sobject
    UNION ALL
    -- Their operations are the mass of all: what was made of them less what was deleted, by day, is the same.
    SELECT
        v.account_id,
        'activities' AS what,
        v.object,
        sum(CASE v.action WHEN 'create' THEN v.number ELSE -v.number END) AS number
    FROM daily.delivery AS v
    INNER JOIN crm.account AS a ON v.account_id = a.account_id AND v.day >= daily.of(a.created_at)
    WHERE
        v.action IN ('create', 'delete')
        AND v.object IN (SELECT y.object FROM daily.delivery AS y WHERE y.kind = 'activity')
    GROUP BY v.account_id, v.object
    UNION ALL
    SELECT
        p.account_id,
        CASE WHEN p.is_gone THEN 'prospects gone' ELSE 'prospects' END AS what,
        '' AS object,
        count(*) AS number
    FROM crm.prospect AS p
    GROUP BY p.account_id, p.is_gone
    UNION ALL
    SELECT
        e.account_id,
        'engaged people' AS what,
        CASE left(e.salesforce_id, 3) WHEN '00Q' THEN 'Lead' ELSE 'Contact' END AS object,
        count(*) AS number
    FROM crm.engagement_person AS e
    WHERE e.is_engaged AND e.is_there
    GROUP BY 1, 3
    UNION ALL
    SELECT
        t.account_id,
        CASE
            WHEN t.rejected_because IS NULL THEN 'tracked leads' ELSE 'tracked leads rejected'
        END AS what,
        '' AS object,
        count(*) AS number
    FROM crm.tracked_lead AS t
    GROUP BY t.account_id, t.rejected_because IS NULL
    UNION ALL
    SELECT
        o.account_id,
        CASE
            WHEN m.opportunity_id IS NOT NULL THEN 'opportunities matched'
            WHEN o.waits_because IS NOT NULL THEN 'opportunities waiting'
            ELSE 'opportunities not looked at'
        END AS what,
        'Opportunity' AS object,
        count(*) AS number
    FROM crm.opportunity AS o
    LEFT JOIN (
        SELECT DISTINCT
            x.account_id,
            x.opportunity_id
        FROM crm.opportunity_match AS x
        WHERE NOT x.withdrawn
    ) AS m ON o.account_id = m.account_id AND o.opportunity_id = m.opportunity_id
    WHERE NOT o.deleted
    GROUP BY 1, 2
    UNION ALL
    SELECT
        w.account_id,
        w.state AS what,
        w.kind AS object,
        count(*) AS number
    FROM crm.operation AS w
    WHERE w.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
    GROUP BY w.account_id, w.state, w.kind
    UNION ALL
    SELECT
        w.account_id,
        w.state AS what,
        w.kind AS object,
        count(*) AS number
    FROM crm.operation AS w
    WHERE w.state IN ('left_out', 'dropped')
    GROUP BY w.account_id, w.state, w.kind
    UNION ALL
    SELECT
        s.account_id,
        s.what,
        s.object,
        0 AS number
    FROM daily.stock AS s
    WHERE s.day = daily.of(now())
) AS c
GROUP BY c.account_id, c.what, c.object
ORDER BY c.account_id, c.what, c.object
ON CONFLICT (account_id, day, what, object) DO UPDATE
SET number = excluded.number, counted_at = excluded.counted_at
