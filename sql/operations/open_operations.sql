-- How many operations of an account are to be sent yet.
SELECT count(*)
FROM crm.operation
WHERE account_id = :account_id AND state IN ('pending', 'in_flight')
