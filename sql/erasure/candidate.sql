DELETE FROM crm.candidate WHERE operation_id = any(CAST(:operation_ids AS bigint []))
