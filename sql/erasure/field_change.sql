DELETE FROM crm.field_change WHERE operation_id = any(CAST(:operation_ids AS bigint []))
