-- All versions of what is about some people, and of some things.
WITH wanted AS (
    SELECT operation_id FROM crm.operation
    WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
    UNION
    SELECT operation_id FROM crm.operation
    WHERE account_id = :account_id AND natural_key = any(CAST(:natural_keys AS text []))
)

SELECT
    o.operation_id,
    o.flow,
    o.kind,
    o.natural_key,
    o.version,
    o.person_key,
    o.as_of,
    o.created_at,
    o.read_by,
    o.intent,
    o.state,
    o.sobject,
    o.action,
    o.salesforce_id,
    o.sent,
    CASE
        WHEN o.memory ? 'filter' THEN o.reason || ' by ' || quote_literal(o.memory ->> 'filter')
        WHEN o.intent ? 'part_of' THEN o.reason || ' (' || (o.intent ->> 'part_of') || ')'
        ELSE o.reason
    END AS reason,
    o.error_code,
    o.error_message,
    o.attempts_left,
    o.next_attempt_at,
    o.finished_at,
    o.gone
FROM wanted AS w
INNER JOIN crm.operation AS o ON w.operation_id = o.operation_id
ORDER BY o.operation_id
