-- What came of operations that take something back.
SELECT
    o.intent ->> 'sobject' AS sobject,
    o.intent ->> 'id' AS salesforce_id,
    p.address AS about,
    CASE
        WHEN o.state = 'done' AND o.action = 'update' THEN 'restore'
        WHEN o.state = 'done' AND o.action = 'delete' THEN 'delete'
        WHEN o.state = 'done' THEN 'left'
        WHEN o.state IN ('pending', 'in_flight', 'held') THEN 'waiting'
        WHEN o.state IN ('failed', 'exhausted') THEN 'refused'
        ELSE 'left'
    END AS outcome,
    CASE WHEN o.action = 'update' THEN coalesce(o.sent, o.intent -> 'fields') END AS fields,
    o.intent -> 'written' AS written,
    coalesce(o.error_message, o.reason) AS reason
FROM crm.operation AS o
LEFT JOIN crm.person AS p ON o.person_key = p.person_key
WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
ORDER BY o.operation_id
