-- Of some writes those that a plan does not say, or says otherwise. Where it does not bind, what it
-- says will be refused is tried as it is in any cycle.
SELECT w.operation_id
FROM
    jsonb_to_recordset(CAST(:writes AS jsonb)) AS w (
        operation_id bigint,
        sobject text,
        action text,
        salesforce_id text,
        fields jsonb
    )
INNER JOIN crm.operation AS o ON w.operation_id = o.operation_id
LEFT JOIN crm.person AS p ON o.person_key = p.person_key
WHERE
    NOT EXISTS (
        SELECT FROM crm.plan_row AS r
        WHERE
            r.plan_id = :plan_id
            AND r.about = crm.plan_about(o.kind, o.natural_key, p.address)
            AND r.sobject = w.sobject
            AND (
                (
                    r.outcome = w.action
                    AND (w.action = 'create' OR r.salesforce_id = w.salesforce_id)
                    AND (w.action = 'delete' OR r.content = crm.plan_content(w.fields, r.unknown))
                )
                OR (r.outcome = 'refused' AND NOT :binds)
            )
    )
