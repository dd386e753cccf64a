-- The newest operation that is to be sent; NULL: nothing is.
SELECT max(operation_id)
FROM crm.operation
WHERE account_id = :account_id AND state = 'pending'
