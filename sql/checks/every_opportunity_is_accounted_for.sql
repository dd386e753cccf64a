-- Each opportunity that was read waits with a reason, is not asked for by a trigger, or is told of as it
-- is now (or on its way) for each lead to which it belongs. Of the last reading: read = new + changed +
-- unchanged.
WITH found AS (
    SELECT
        o.account_id,
        count(*) AS opportunities,
        count(*) FILTER (WHERE o.due) AS due,
        count(*) FILTER (WHERE o.waits_because IS NOT NULL) AS waiting,
        count(*) FILTER (WHERE o.waits_because IS NULL AND NOT o.told AND NOT o.due) AS not_asked_for,
        count(*) FILTER (
            WHERE
                o.waits_because IS NULL
                AND o.told
                AND NOT o.due
                AND (m.matches = 0 OR m.as_it_is < m.matches)
        ) AS untold
    FROM crm.opportunity AS o
    CROSS JOIN LATERAL (
        SELECT count(*) AS matches, count(t.version) AS as_it_is
        FROM crm.opportunity_match AS x
        LEFT JOIN LATERAL (
            SELECT p.version
            FROM crm.operation AS p
            WHERE
                p.account_id = x.account_id
                AND p.natural_key
                = 'told:lead_values:lead:' || x.lead_id || ':opportunity:' || x.opportunity_id
                AND CAST(p.intent #>> '{body,version}' AS bigint) = o.version
            ORDER BY p.version DESC
            LIMIT 1
        ) AS t ON true
        WHERE
            x.account_id = o.account_id
            AND x.opportunity_id = o.opportunity_id
            AND NOT x.withdrawn
    ) AS m
    WHERE o.account_id = any(CAST(:account_ids AS text []))
    GROUP BY o.account_id
),

last_cycle AS (
    SELECT DISTINCT ON (c.account_id) c.account_id, c.counts #> '{topics,opportunities}' AS counts
    FROM crm.cycle AS c
    WHERE c.account_id = any(CAST(:account_ids AS text [])) AND c.state <> 'Processing'
    ORDER BY c.account_id, c.cycle_id DESC
)

SELECT
    a.account_id,
    coalesce(f.untold, 0) = 0
    AND coalesce(CAST(l.counts ->> 'read' AS bigint), 0)
    = coalesce(CAST(l.counts ->> 'new' AS bigint), 0)
    + coalesce(CAST(l.counts ->> 'changed' AS bigint), 0)
    + coalesce(CAST(l.counts ->> 'unchanged' AS bigint), 0) AS passed,
    coalesce(f.opportunities, 0) AS opportunities,
    coalesce(f.due, 0) AS due,
    coalesce(f.waiting, 0) AS waiting,
    coalesce(f.not_asked_for, 0) AS not_asked_for,
    coalesce(f.untold, 0) AS untold
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN found AS f ON a.account_id = f.account_id
LEFT JOIN last_cycle AS l ON a.account_id = l.account_id
