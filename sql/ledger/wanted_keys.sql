-- Of these natural keys those of which something is wanted, whatever became of it.
SELECT DISTINCT o.natural_key
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.natural_key = any(CAST(:natural_keys AS text [])) AND o.state <> 'rejected'
