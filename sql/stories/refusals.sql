-- The answers that cost some operations a try, as far back as they are kept.
SELECT operation_id, cycle_id, refused_at, error_code, error_message
FROM crm.refusal
WHERE operation_id = any(CAST(:operation_ids AS bigint []))
ORDER BY refusal_id
