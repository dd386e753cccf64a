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
    unnest(
        CAST(:operation_ids AS bigint []),
        CAST(:sobjects AS text []),
        CAST(:actions AS text []),
        CAST(:salesforce_ids AS text []),
        CAST(:reasons AS text []),
        CAST(:attempts AS smallint [])
    ) AS d (operation_id, sobject, action, salesforce_id, reason, attempts)
WHERE o.operation_id = d.operation_id
