SELECT DISTINCT o.natural_key
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.kind = 'member'
ORDER BY o.natural_key
