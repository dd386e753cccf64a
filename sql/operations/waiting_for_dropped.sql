-- Operations that wait for a person who is not in the org and who was given up.
SELECT o.operation_id
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind <> 'person'
    AND o.state = 'pending'
    AND o.person_key IN (
        SELECT p.person_key
        FROM crm.operation AS p
        WHERE
            p.account_id = :account_id
            AND p.kind = 'person'
            AND p.state = 'dropped'
            AND p.operation_id = any(CAST(:operation_ids AS bigint []))
    )
    AND NOT EXISTS (
        SELECT FROM crm.identity AS i
        WHERE i.account_id = o.account_id AND i.person_key = o.person_key
    )
ORDER BY o.operation_id
