-- People of whom nothing is known, each with an address and an id of the platform, where there is
-- one, that no other row has; their numbers in the rows' order.
WITH said AS (
    SELECT s.n, s.source_person, s.address, s.as_of
    FROM
        ROWS FROM (
            jsonb_to_recordset(CAST(:rows AS jsonb))
            AS (source_person text, address text, as_of timestamptz)
        ) WITH ORDINALITY AS s (source_person, address, as_of, n)
),

added AS (
    INSERT INTO crm.person (account_id, address, as_of)
    SELECT :account_id, s.address, s.as_of
    FROM said AS s
    ORDER BY s.as_of, s.source_person
    RETURNING person_key, address
),

pointed AS (
    INSERT INTO crm.person_pointer (account_id, kind, value, person_key, as_of)
    SELECT :account_id, :kind, s.source_person, a.person_key, s.as_of
    FROM said AS s
    INNER JOIN added AS a ON s.address = a.address
    WHERE s.source_person IS NOT NULL
)

SELECT array_agg(a.person_key ORDER BY s.n) AS people
FROM said AS s
INNER JOIN added AS a ON s.address = a.address
