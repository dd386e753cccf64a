SELECT operation_id
FROM crm.operation
WHERE operation_id = any(CAST(:operation_ids AS bigint [])) AND state = 'done'
