-- The address that each person of the source has now. One who had another one before is noted
-- as its successor, unless somebody else still has that one.
WITH said AS (
    SELECT s.*
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
        source_person text,
        person_key text,
        as_of timestamptz
    )
),

changed AS (
    SELECT s.source_person, s.person_key, s.as_of, p.person_key AS former_key
    FROM said AS s
    LEFT JOIN crm.person_email AS p
        ON p.account_id = :account_id AND p.source_person = s.source_person
    WHERE p.source_person IS NULL OR (p.person_key <> s.person_key AND p.as_of <= s.as_of)
),

stored AS (
    INSERT INTO crm.person_email (account_id, source_person, person_key, as_of)
    SELECT :account_id, c.source_person, c.person_key, c.as_of
    FROM changed AS c
    ON CONFLICT (account_id, source_person) DO UPDATE
    SET person_key = excluded.person_key, as_of = excluded.as_of
)

INSERT INTO crm.former_email (account_id, person_key, former_key)
SELECT DISTINCT ON (c.person_key) :account_id, c.person_key, c.former_key
FROM changed AS c
WHERE
    c.former_key IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM crm.person_email AS other
        WHERE
            other.account_id = :account_id
            AND other.person_key = c.former_key
            AND other.source_person <> c.source_person
    )
ORDER BY c.person_key, c.as_of DESC
ON CONFLICT (account_id, person_key) DO UPDATE
SET former_key = excluded.former_key
