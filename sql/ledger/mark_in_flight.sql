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
    unnest(
        CAST(:operation_ids AS bigint []),
        CAST(:sobjects AS text []),
        CAST(:actions AS text []),
        CAST(:salesforce_ids AS text []),
        CAST(:sents AS jsonb []),
        CAST(:reasons AS text [])
    ) AS m (operation_id, sobject, action, salesforce_id, sent, reason)
WHERE o.operation_id = m.operation_id
