-- Explains departures by those of what they belong to: a person, a campaign, another record.
UPDATE crm.plan_departure AS d
SET explanation = 'follows'
FROM crm.plan_departure AS o
LEFT JOIN crm.operation AS above ON o.operation_id = above.operation_id
WHERE
    d.plan_id = :plan_id
    AND d.explanation IS NULL
    AND o.plan_id = :plan_id
    AND o.explanation IS NOT NULL
    AND (
        (o.about LIKE 'person:%' AND o.address = d.address)
        OR EXISTS (
            SELECT FROM crm.operation AS below
            WHERE
                below.operation_id = d.operation_id
                AND (
                    (
                        below.kind = 'member'
                        AND above.natural_key = 'campaign:' || crm.campaign_key(below.intent)
                    )
                    OR (
                        below.kind = 'campaign'
                        AND above.natural_key = 'campaign:' || (below.intent ->> 'parent')
                    )
                    OR (
                        below.kind = 'record'
                        AND EXISTS (
                            SELECT FROM jsonb_each_text(below.intent -> 'refs') AS r
                            WHERE r.value = above.natural_key
                        )
                    )
                )
        )
    )
