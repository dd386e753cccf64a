SELECT p.value
FROM crm.person AS o
INNER JOIN crm.person_pointer AS p ON o.person_key = p.person_key
WHERE
    o.account_id = :account_id
    AND o.address = any(:addresses)
    AND p.account_id = :account_id
    AND p.kind = 'platform'
ORDER BY p.value
