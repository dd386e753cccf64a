DELETE FROM crm.refusal WHERE operation_id = any(CAST(:operation_ids AS bigint []))
