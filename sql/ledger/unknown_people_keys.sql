SELECT DISTINCT o.person_key
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'pending'
    AND o.action IS DISTINCT FROM 'update'
    AND NOT EXISTS (
        SELECT FROM crm.identity AS i
        WHERE i.account_id = o.account_id AND i.person_key = o.person_key
    )
