INSERT INTO crm.field_change (account_id, operation_id, field, why, old_value, new_value)
SELECT :account_id, n.operation_id, n.field, n.why, n.old_value, n.new_value
FROM
    unnest(
        CAST(:operation_ids AS bigint []),
        CAST(:fields AS text []),
        CAST(:whys AS text []),
        CAST(:old_values AS text []),
        CAST(:new_values AS text [])
    ) AS n (operation_id, field, why, old_value, new_value)
