-- Whose further addresses these are: the address that each of these people has now.
SELECT
    a.address,
    a.source_person,
    coalesce(p.address, s.address) AS main
FROM crm.person_alias AS a
INNER JOIN crm.person AS p ON a.person_key = p.person_key
LEFT JOIN crm.person AS s ON p.successor = s.person_key
WHERE
    a.account_id = :account_id
    AND a.address = any(CAST(:addresses AS text []))
    AND NOT a.taken
    AND coalesce(p.address, s.address) IS NOT NULL
