-- People of whom it is decided which fields of which record are to change, oldest first.
SELECT o.operation_id, o.natural_key, o.sobject, o.salesforce_id, o.sent, o.reason
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'pending'
    AND o.action = 'update'
    AND o.operation_id > :after
ORDER BY o.operation_id
LIMIT :limit
