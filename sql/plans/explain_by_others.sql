-- Explains departures by those of what they belong to: a person, a campaign, another record.
WITH explained AS (
    SELECT d.about, d.address, o.natural_key
    FROM crm.plan_departure AS d
    LEFT JOIN crm.operation AS o ON d.operation_id = o.operation_id
    WHERE d.plan_id = :plan_id AND d.explanation IS NOT NULL
)

UPDATE crm.plan_departure AS d
SET explanation = 'follows'
WHERE
    d.plan_id = :plan_id
    AND d.explanation IS NULL
    AND (
        d.address IN (SELECT e.address FROM explained AS e WHERE e.about LIKE 'person:%')
        OR EXISTS (
            SELECT FROM crm.operation AS below
            CROSS JOIN LATERAL (
                SELECT
                    CASE below.kind
                        WHEN 'member' THEN 'campaign:' || crm.campaign_key(below.intent)
                        WHEN 'campaign' THEN 'campaign:' || (below.intent ->> 'parent')
                    END AS natural_key
                UNION ALL
                SELECT r.value
                FROM jsonb_each_text(below.intent -> 'refs') AS r
                WHERE below.kind = 'record'
            ) AS above
            WHERE
                below.operation_id = d.operation_id
                -- As a value: so they are hashed once, however few the planner expects.
                AND (above.natural_key IN (SELECT e.natural_key FROM explained AS e)) IS TRUE
        )
    )
