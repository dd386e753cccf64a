-- People to whom nothing points any more are not written, nor are they made members: others stand
-- for them, and have their rows.
UPDATE crm.operation AS o
SET state = 'superseded', finished_at = clock_timestamp()
FROM (
    SELECT person.operation_id
    FROM crm.person AS p
    INNER JOIN crm.operation AS person
        ON
            p.account_id = person.account_id
            AND 'person:' || p.person_key = person.natural_key
    WHERE p.account_id = :account_id AND p.address IS NULL
    UNION ALL
    SELECT member.operation_id
    FROM crm.person AS p
    INNER JOIN crm.operation AS member
        ON p.account_id = member.account_id AND p.person_key = member.person_key
    WHERE
        p.account_id = :account_id
        AND p.address IS NULL
        AND member.kind = 'member'
        AND NOT member.gone
        AND member.state IN ('pending', 'failed', 'exhausted')
) AS absorbed
WHERE o.operation_id = absorbed.operation_id AND o.state IN ('pending', 'failed', 'exhausted')
