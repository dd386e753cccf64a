SELECT wanted.sobject, array_agg(DISTINCT wanted.field) AS fields
FROM crm.operation AS o
CROSS JOIN LATERAL (
    SELECT by_sobject.key AS sobject, field.name AS field
    FROM jsonb_each(o.intent) AS by_sobject
    CROSS JOIN LATERAL jsonb_object_keys(by_sobject.value) AS field (name)
    WHERE by_sobject.key IN ('Lead', 'Contact')
) AS wanted
WHERE o.account_id = :account_id AND o.kind = 'person' AND o.state = 'pending'
GROUP BY wanted.sobject
