UPDATE crm.operation AS o
SET
    sobject = d.sobject,
    action = 'update',
    salesforce_id = d.salesforce_id,
    sent = d.sent,
    reason = d.reason
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS d (
        operation_id bigint,
        sobject text,
        salesforce_id text,
        sent jsonb,
        reason text
    )
WHERE o.operation_id = d.operation_id
