INSERT INTO crm.field_change (account_id, operation_id, field, why, old_value, new_value)
SELECT :account_id, n.operation_id, n.field, n.why, n.old_value, n.new_value
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
        operation_id bigint,
        field text,
        why text,
        old_value text,
        new_value text
    )
