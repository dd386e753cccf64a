INSERT INTO crm.brake AS b (account_id, passed_operation)
VALUES (:account_id, :last_operation)
ON CONFLICT (account_id) DO UPDATE
SET passed_operation = excluded.passed_operation
WHERE b.passed_operation < excluded.passed_operation
