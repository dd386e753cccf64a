-- The values of opportunities that the platform was told of, by how they stand and their currency: the
-- latest of each that was told.
SELECT
    t.body ->> 'standing' AS standing,
    coalesce(t.body ->> 'currency', '') AS currency,
    count(DISTINCT m.opportunity_id) AS opportunities,
    sum(CAST(t.body ->> 'amount' AS numeric)) AS amount,
    sum(CAST(t.body ->> 'closed_amount' AS numeric)) AS closed_amount
FROM crm.opportunity_match AS m
CROSS JOIN LATERAL (
    SELECT o.intent -> 'body' AS body
    FROM crm.operation AS o
    WHERE
        o.account_id = m.account_id
        AND o.natural_key
        = 'told:lead_values:lead:' || m.lead_id || ':opportunity:' || m.opportunity_id
        AND o.state = 'done'
    ORDER BY o.version DESC
    LIMIT 1
) AS t
WHERE m.account_id = :account_id
GROUP BY t.body ->> 'standing', t.body ->> 'currency'
ORDER BY t.body ->> 'standing', t.body ->> 'currency'
