-- The people whom rows are about, by all that was ever said of these. A visit that is part of another one's
-- attendance is about that one's person.
WITH said AS (
    SELECT o.person_key, o.intent ->> 'part_of' AS whole
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'activity'
        AND o.natural_key = any(CAST(:natural_keys AS text []))
)

SELECT s.person_key
FROM said AS s
WHERE s.person_key IS NOT NULL
UNION
SELECT o.person_key
FROM said AS s
INNER JOIN crm.operation AS o ON o.account_id = :account_id AND s.whole = o.natural_key
WHERE o.person_key IS NOT NULL
