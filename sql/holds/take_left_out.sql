-- People who were left out, as the account made nobody: it does by now, so they wait again, and are held
-- to the limits with all that is behind them, as if it were read now.
WITH again AS (
    UPDATE crm.operation
    SET state = 'pending', reason_code = NULL, finished_at = NULL
    WHERE
        account_id = :account_id
        AND kind = 'person'
        AND state = 'left_out'
        AND reason_code = 'UNKNOWN_PERSON'
        AND NOT intent ? 'withdrawn'
    RETURNING operation_id
)

UPDATE crm.brake AS b
SET passed_operation = least(b.passed_operation, a.first - 1)
FROM (SELECT min(operation_id) AS first FROM again) AS a
WHERE b.account_id = :account_id AND a.first IS NOT NULL
