-- One operation with all that is known of it.
SELECT
    o.operation_id,
    o.account_id,
    o.flow,
    o.kind,
    o.natural_key,
    o.version,
    o.person_key,
    p.address AS person,
    o.state,
    o.attempts_left,
    o.next_attempt_at,
    o.sobject,
    o.action,
    o.salesforce_id,
    o.reason,
    o.error_code,
    o.error_message,
    o.as_of,
    o.created_at,
    o.sent_at,
    o.finished_at,
    o.read_by,
    o.sent_by,
    o.intent,
    o.sent,
    o.memory AS said_by_rows
FROM crm.operation AS o
LEFT JOIN crm.person AS p ON o.person_key = p.person_key
WHERE o.operation_id = :operation_id
