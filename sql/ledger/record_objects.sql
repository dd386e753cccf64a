-- The custom objects of which the account has records.
SELECT DISTINCT r.sobject
FROM crm.record AS r
WHERE r.account_id = :account_id AND right(r.sobject, 3) = '__c'
ORDER BY r.sobject
