-- The values of an operation that the org would not take as they were.
SELECT field, why, old_value, new_value, changed_at
FROM crm.field_change
WHERE operation_id = :operation_id
ORDER BY field_change_id
