-- Counts the pending members.
SELECT count(*)
FROM crm.operation
WHERE account_id = :account_id AND kind = 'member' AND state = 'pending'
