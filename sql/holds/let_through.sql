INSERT INTO crm.brake AS b (account_id, passed_operation, pile)
VALUES (:account_id, :last_operation, CAST(:pile AS jsonb))
ON CONFLICT (account_id) DO UPDATE
SET passed_operation = greatest(b.passed_operation, excluded.passed_operation), pile = excluded.pile
WHERE
    b.passed_operation < excluded.passed_operation
    OR b.pile IS DISTINCT FROM excluded.pile
