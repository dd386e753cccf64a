-- The people of an account who have one of some addresses, and those whom they have absorbed.
WITH RECURSIVE removed AS (
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
    FROM removed AS r
    INNER JOIN crm.person AS p ON r.person_key = p.successor
)

SELECT person_key, address FROM removed
