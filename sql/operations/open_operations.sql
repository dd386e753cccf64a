-- Counts the operations of an account that are to be sent yet.
SELECT count(*)
FROM crm.operation
WHERE account_id = :account_id AND state IN ('pending', 'held', 'in_flight')
