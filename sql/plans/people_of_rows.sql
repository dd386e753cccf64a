-- The people whom rows are about, by all that was ever said of these.
SELECT DISTINCT o.person_key
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'activity'
    AND o.natural_key = any(CAST(:natural_keys AS text []))
    AND o.person_key IS NOT NULL
