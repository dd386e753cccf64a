-- The next records of an object that an account holds, in the order of their Ids.
SELECT r.salesforce_id
FROM crm.record AS r
WHERE r.account_id = :account_id AND r.sobject = :sobject AND r.salesforce_id > :after_id
UNION
SELECT i.salesforce_id
FROM crm.identity AS i
WHERE i.account_id = :account_id AND i.sobject = :sobject AND i.salesforce_id > :after_id
ORDER BY salesforce_id
LIMIT :limit
