SELECT DISTINCT o.person_key, p.address
FROM crm.operation AS o
INNER JOIN crm.person AS p ON o.person_key = p.person_key
WHERE
    o.account_id = :account_id
    AND o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted', 'left_out')
    AND p.address IS NOT NULL
