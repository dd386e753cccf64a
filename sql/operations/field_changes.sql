-- The values of some operations that the org would not take as they were.
SELECT operation_id, field, why, old_value, new_value, changed_at
FROM crm.field_change
WHERE operation_id = any(CAST(:operation_ids AS bigint []))
ORDER BY field_change_id
