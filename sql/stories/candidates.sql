-- The records that might have stood for the people of some operations, where there were several.
SELECT operation_id, chosen, others, looked_at
FROM crm.candidate
WHERE operation_id = any(CAST(:operation_ids AS bigint []))
