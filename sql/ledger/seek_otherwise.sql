-- Activities that are not in the org as they are wanted: they are sought on in another way.
UPDATE crm.operation
SET reason = :reason
WHERE operation_id = any(CAST(:operation_ids AS bigint []))
