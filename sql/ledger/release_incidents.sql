-- One of the operations that these causes held up went through: all of them may go now.
WITH released AS (
    UPDATE crm.operation AS o
    SET state = 'pending', next_attempt_at = NULL
    WHERE
        o.account_id = :account_id
        AND o.state = 'failed'
        AND o.error_code = any(CAST(:codes AS text []))
        AND o.attempts_left > 0
    RETURNING 1
)

UPDATE crm.incident
SET closed_at = now()
WHERE
    account_id = :account_id
    AND closed_at IS NULL
    AND code = any(CAST(:codes AS text []))
    AND (SELECT count(*) FROM released) >= 0
RETURNING code
