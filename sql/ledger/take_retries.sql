-- Failed operations whose time has come are pending again (spec 1: at most 50): the oldest of each
-- flow in turn, so that the many of one leave room for the few of another.
WITH due AS (
    SELECT
        operation_id,
        row_number() OVER (PARTITION BY flow ORDER BY operation_id) AS turn
    FROM crm.operation
    WHERE
        account_id = :account_id
        AND state = 'failed'
        AND attempts_left > 0
        AND (next_attempt_at IS NULL OR next_attempt_at <= now())
)

UPDATE crm.operation
SET state = 'pending'
WHERE operation_id IN (
    SELECT operation_id
    FROM due
    WHERE turn <= :limit
    ORDER BY turn, operation_id
    LIMIT :limit
)
RETURNING operation_id, error_code
