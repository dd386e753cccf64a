-- The records that are to be gone and are pending.
SELECT r.salesforce_id
FROM crm.operation AS o
INNER JOIN crm.record AS r ON o.account_id = r.account_id AND o.natural_key = r.natural_key
WHERE
    o.account_id = :account_id
    AND o.kind = 'record'
    AND o.state = 'pending'
    AND o.intent ->> 'fields' IS NULL
