-- Notes what is about to be sent; `sents` are the fields where they are not the intent's own.
UPDATE crm.operation AS o
SET
    state = 'in_flight',
    sobject = m.sobject,
    action = m.action,
    salesforce_id = coalesce(m.salesforce_id, o.salesforce_id),
    sent = coalesce(m.sent, o.sent),
    reason = coalesce(m.reason, o.reason),
    sent_by = :cycle_id,
    sent_at = clock_timestamp(),
    error_code = NULL,
    error_message = NULL
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS m (
        operation_id bigint,
        sobject text,
        action text,
        salesforce_id text,
        sent jsonb,
        reason text
    )
WHERE o.operation_id = m.operation_id
