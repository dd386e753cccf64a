-- Nothing is sent alone any more.
UPDATE crm.operation
SET state = 'pending'
WHERE account_id = :account_id AND state = 'held'
