-- Ends the hold of an account where nothing of it waits any more; what else was read with it goes.
WITH lapsed AS (
    UPDATE crm.hold AS h
    SET decision = 'lapsed', decided_at = now(), why = 'nothing of it waits any more'
    WHERE
        h.account_id = :account_id
        AND h.decision IS NULL
        AND NOT EXISTS (SELECT FROM crm.held_operations(h.hold_id))
    RETURNING h.account_id, h.last_operation
)

UPDATE crm.brake AS b
SET passed_operation = l.last_operation
FROM lapsed AS l
WHERE b.account_id = l.account_id
RETURNING b.passed_operation
