-- Some people: what they are known by, and which record stands for each, and why.
SELECT
    p.person_key,
    p.address,
    p.as_of,
    p.successor,
    p.absorbed_at,
    i.sobject,
    i.salesforce_id,
    i.reason,
    i.seen_at,
    ARRAY(
        SELECT a.address FROM crm.person_alias AS a
        WHERE a.account_id = p.account_id AND a.person_key = p.person_key
        ORDER BY a.as_of
    ) AS other_addresses,
    ARRAY(
        SELECT n.kind || ' ' || n.value FROM crm.person_pointer AS n
        WHERE n.account_id = p.account_id AND n.person_key = p.person_key
        ORDER BY n.kind, n.value
    ) AS ids
FROM crm.person AS p
LEFT JOIN crm.identity AS i ON p.account_id = i.account_id AND p.person_key = i.person_key
WHERE p.account_id = :account_id AND p.person_key = any(CAST(:person_keys AS bigint []))
ORDER BY p.person_key
