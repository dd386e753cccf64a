-- Gives up what waits to be sent and was never sent.
UPDATE crm.operation
SET state = 'dropped', reason = :reason, finished_at = clock_timestamp()
WHERE
    account_id = :account_id
    AND operation_id = any(CAST(:operation_ids AS bigint []))
    AND state = 'pending'
