-- The oldest failed operations whose time has come are pending again (spec 1: at most 50).
UPDATE crm.operation
SET state = 'pending'
WHERE operation_id IN (
    SELECT operation_id
    FROM crm.operation
    WHERE
        account_id = :account_id
        AND state = 'failed'
        AND attempts_left > 0
        AND coalesce(next_attempt_at, now()) <= now()
    ORDER BY operation_id
    LIMIT :limit
)
RETURNING operation_id, error_code
