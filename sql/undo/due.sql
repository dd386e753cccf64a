-- What is to be taken back of one stage, oldest first.
SELECT o.operation_id, o.person_key, o.intent
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'undo'
    AND o.state = 'pending'
    AND CAST(o.intent ->> 'stage' AS integer) = :stage
    AND o.operation_id > :after
ORDER BY o.operation_id
LIMIT :limit
