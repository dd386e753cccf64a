-- The amounts of opportunities that belong to a tracked lead, as the org has them and as the platform
-- was told, by currency: never is one added to another. Where an org has one currency and does not name
-- it, the account may.
WITH accounts AS (
    SELECT a.account_id, c.settings #>> '{attribution,currency}' AS currency
    FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
    LEFT JOIN crm.account AS c ON a.account_id = c.account_id
),

org AS (
    SELECT
        o.account_id,
        coalesce(o.currency, a.currency, '') AS currency,
        sum(o.amount) AS amount
    FROM crm.opportunity AS o
    INNER JOIN accounts AS a ON o.account_id = a.account_id
    WHERE
        o.told
        AND NOT o.deleted
        AND EXISTS (
            SELECT FROM crm.opportunity_match AS m
            WHERE
                m.account_id = o.account_id
                AND m.opportunity_id = o.opportunity_id
                AND NOT m.withdrawn
        )
    GROUP BY o.account_id, coalesce(o.currency, a.currency, '')
),

platform AS (
    SELECT
        m.account_id,
        coalesce(t.body ->> 'currency', '') AS currency,
        sum(CAST(t.body ->> 'amount' AS numeric)) AS amount
    FROM crm.opportunity_match AS m
    INNER JOIN accounts AS a ON m.account_id = a.account_id
    CROSS JOIN LATERAL (
        SELECT p.intent -> 'body' AS body
        FROM crm.operation AS p
        WHERE
            p.account_id = m.account_id
            AND p.natural_key
            = 'told:lead_values:lead:' || m.lead_id || ':opportunity:' || m.opportunity_id
            AND p.state = 'done'
        ORDER BY p.version DESC
        LIMIT 1
    ) AS t
    GROUP BY m.account_id, coalesce(t.body ->> 'currency', '')
)

SELECT
    a.account_id,
    count(*) FILTER (WHERE coalesce(c.org, 0) <> coalesce(c.platform, 0)) = 0 AS passed,
    count(c.account_id) AS currencies,
    count(*) FILTER (WHERE coalesce(c.org, 0) <> coalesce(c.platform, 0)) AS currencies_that_differ
FROM accounts AS a
LEFT JOIN (
    SELECT
        coalesce(g.account_id, p.account_id) AS account_id,
        g.amount AS org,
        p.amount AS platform
    FROM org AS g
    FULL JOIN platform AS p ON g.account_id = p.account_id AND g.currency = p.currency
) AS c ON a.account_id = c.account_id
GROUP BY a.account_id
