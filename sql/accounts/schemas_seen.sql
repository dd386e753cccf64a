-- The objects of an account's org as they were when they were last looked at, however long ago.
SELECT s.sobject, s.schema
FROM crm.sobject_schema AS s
WHERE s.account_id = :account_id
ORDER BY s.sobject
