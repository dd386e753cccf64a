-- Where the account's settings for opportunities are others than before, or the org shows other fields of
-- those that are named, all are matched anew, and those that lack a field that it shows are to be read
-- again. Where numbers are read in another country, so are the people around them.
WITH before AS (
    SELECT r.chosen
    FROM crm.opportunity_reading AS r
    WHERE r.account_id = :account_id
),

-- An org that was not described yet shows what it did.
shown AS (
    SELECT coalesce(
        (
            SELECT to_jsonb(array(
                SELECT n.name
                FROM unnest(CAST(:fields AS text [])) AS n (name)
                WHERE
                    EXISTS (
                        SELECT FROM jsonb_array_elements(s.schema -> 'fields') AS f (described)
                        WHERE lower(f.described ->> 'name') = lower(n.name)
                    )
                ORDER BY n.name
            ))
            FROM crm.sobject_schema AS s
            WHERE s.account_id = :account_id AND s.sobject = 'Opportunity'
        ),
        (SELECT b.chosen -> 'shown' FROM before AS b),
        '[]'
    ) AS fields
),

changed AS (
    UPDATE crm.opportunity_reading AS r
    SET chosen = CAST(:chosen AS jsonb) || jsonb_build_object('shown', s.fields)
    FROM shown AS s
    WHERE
        r.account_id = :account_id
        AND r.chosen <> CAST(:chosen AS jsonb) || jsonb_build_object('shown', s.fields)
    RETURNING r.account_id, s.fields
),

wanted AS (
    INSERT INTO crm.opportunity_question (account_id, question, record_id)
    SELECT o.account_id, 'opportunity', o.opportunity_id
    FROM crm.opportunity AS o
    INNER JOIN changed AS c ON o.account_id = c.account_id
    WHERE NOT o.deleted AND NOT o.record ?& array(SELECT jsonb_array_elements_text(c.fields))
    ON CONFLICT DO NOTHING
),

people AS (
    UPDATE crm.opportunity_person AS p
    SET doubtful = true
    FROM changed AS c
    CROSS JOIN before AS b
    WHERE
        p.account_id = c.account_id
        AND NOT p.doubtful
        AND NOT p.deleted
        AND b.chosen ? 'phone_region'
        AND b.chosen ->> 'phone_region'
        IS DISTINCT FROM CAST(:chosen AS jsonb) ->> 'phone_region'
)

UPDATE crm.opportunity AS o
SET due = true
FROM changed AS c
WHERE o.account_id = c.account_id AND NOT o.due
