-- Nothing is being sent any more. Operations without an answer (`unanswered`; NULL: all without an
-- outcome, since the process that sent them is gone) may be in the org: they are in flight until
-- they are looked up. An update is decided anew then, unless it had been decided to wait.
WITH without_answer AS (
    SELECT
        s.sending_id,
        array_agg(o.operation_id) AS operation_ids
    FROM crm.sending AS s
    CROSS JOIN LATERAL unnest(s.operation_ids) AS each (operation_id)
    INNER JOIN crm.operation AS o ON each.operation_id = o.operation_id
    WHERE
        s.account_id = :account_id
        AND s.ended_at IS NULL
        AND o.state = 'pending'
        AND (
            CAST(:unanswered AS bigint []) IS NULL
            OR o.operation_id = any(CAST(:unanswered AS bigint []))
        )
    GROUP BY s.sending_id
),

sent AS (
    UPDATE crm.sending AS s
    SET
        ended_at = clock_timestamp(),
        org_ended_at = :org_time,
        unanswered = coalesce(
            (SELECT w.operation_ids FROM without_answer AS w WHERE w.sending_id = s.sending_id), '{}'
        )
    WHERE s.account_id = :account_id AND s.ended_at IS NULL
    RETURNING s.cycle_id, s.sobject, s.action, s.unanswered, s.sent_at
)

UPDATE crm.operation AS o
SET
    state = 'in_flight',
    sobject = s.sobject,
    action = CASE WHEN s.action = 'update' THEN o.action ELSE s.action END,
    sent_by = s.cycle_id,
    sent_at = s.sent_at,
    error_code = NULL,
    error_message = NULL
FROM sent AS s
CROSS JOIN LATERAL unnest(s.unanswered) AS each (operation_id)
WHERE o.operation_id = each.operation_id
