UPDATE crm.operation AS o
SET
    sobject = d.sobject,
    action = 'update',
    salesforce_id = d.salesforce_id,
    sent = d.sent,
    reason = d.reason
FROM
    unnest(
        CAST(:operation_ids AS bigint []),
        CAST(:sobjects AS text []),
        CAST(:salesforce_ids AS text []),
        CAST(:sents AS jsonb []),
        CAST(:reasons AS text [])
    ) AS d (operation_id, sobject, salesforce_id, sent, reason)
WHERE o.operation_id = d.operation_id
