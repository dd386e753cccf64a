UPDATE crm.operation AS o
SET
    state = 'done',
    attempts_left = o.attempts_left - d.attempts,
    sobject = d.sobject,
    action = d.action,
    salesforce_id = d.salesforce_id,
    reason = coalesce(d.reason, o.reason),
    sent_by = :cycle_id,
    error_code = NULL,
    error_message = NULL,
    next_attempt_at = NULL,
    finished_at = clock_timestamp()
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS d (
        operation_id bigint,
        sobject text,
        action text,
        salesforce_id text,
        reason text,
        attempts smallint
    )
WHERE o.operation_id = d.operation_id
