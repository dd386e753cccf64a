-- Of a row of the source stays that it is there, and that it is not sent; all else goes. Operations
-- that only name the person say nothing any more.
WITH gone AS (
    DELETE FROM crm.operation AS o
    WHERE
        o.operation_id = any(CAST(:operation_ids AS bigint []))
        AND NOT (
            o.kind IN ('activity', 'campaign')
            AND o.operation_id = any(CAST(:latest_ids AS bigint []))
        )
    RETURNING 1
),

kept AS (
    UPDATE crm.operation AS o
    SET
        state = 'rejected',
        person_key = NULL,
        intent = '{}',
        sent = NULL,
        memory = CASE
            WHEN o.memory ? 'parts' THEN jsonb_build_object('parts', o.memory -> 'parts')
        END,
        content_hash = '',
        sobject = NULL,
        action = NULL,
        salesforce_id = NULL,
        reason = :reason,
        reason_code = NULL,
        error_code = NULL,
        error_message = NULL,
        gone = false,
        next_attempt_at = NULL,
        finished_at = now()
    WHERE
        o.operation_id = any(CAST(:latest_ids AS bigint []))
        AND o.kind IN ('activity', 'campaign')
    RETURNING 1
)

SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept) AS number
