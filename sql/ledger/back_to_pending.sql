-- What was not sent, or is to be sent anew: no attempt is counted.
UPDATE crm.operation
SET state = 'pending'
WHERE operation_id = any(CAST(:operation_ids AS bigint []))
