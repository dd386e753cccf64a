-- The people of an account who have one of some addresses, be it a further one, and those whom they have
-- absorbed; with all addresses of theirs.
WITH RECURSIVE removed AS (
    (
        SELECT p.person_key, p.address
        FROM crm.person AS p
        WHERE
            p.account_id = :account_id
            AND (
                p.address = any(:addresses)
                OR (
                    :ignore_plus_parts
                    AND regexp_replace(p.address, '\+[^@]*@', '@') = any(:addresses)
                )
            )
        UNION
        SELECT p.person_key, p.address
        FROM crm.person_alias AS a
        INNER JOIN crm.person AS p ON a.person_key = p.person_key
        WHERE a.account_id = :account_id AND a.address = any(:addresses) AND NOT a.taken
    )
    UNION
    SELECT p.person_key, p.address
    FROM removed AS r
    INNER JOIN crm.person AS p ON r.person_key = p.successor
)

SELECT person_key, address FROM removed
UNION
SELECT r.person_key, a.address
FROM removed AS r
INNER JOIN crm.person_alias AS a ON r.person_key = a.person_key
WHERE NOT a.taken
