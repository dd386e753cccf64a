INSERT INTO crm.sending (account_id, cycle_id, route, sobject, action, operation_ids)
SELECT :account_id, :cycle_id, :route, each.sobject, each.action, each.operation_ids
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS each (
        sobject text,
        action text,
        operation_ids bigint []
    )
