-- A person decides about a hold; what was shown is let through, as far as it is still there, and what is
-- read from then on is judged by itself.
WITH decided AS (
    UPDATE crm.hold
    SET decision = :decision, decided_at = now(), decided_by = :decided_by, why = :why
    WHERE hold_id = :hold_id AND decision IS NULL
    RETURNING account_id, last_operation
)

INSERT INTO crm.brake (account_id, passed_operation)
SELECT d.account_id, d.last_operation
FROM decided AS d
ON CONFLICT (account_id) DO UPDATE SET passed_operation = excluded.passed_operation, pile = NULL
