UPDATE crm.operation
SET
    state = CASE WHEN state = 'in_flight' THEN 'dropped' ELSE 'rejected' END,
    reason = :reason,
    reason_code = NULL,
    content_hash = '',
    finished_at = now()
WHERE operation_id = any(:operation_ids)
