-- The names of an object's fields, as the account's org showed them when it was last looked at.
SELECT f.field ->> 'name' AS name
FROM crm.sobject_schema AS s
CROSS JOIN LATERAL jsonb_array_elements(s.schema -> 'fields') AS f (field)
WHERE s.account_id = :account_id AND s.sobject = :sobject
