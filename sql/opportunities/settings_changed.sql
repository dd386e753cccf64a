-- Where the account's settings for opportunities are others than before, all are matched anew, and those
-- of which a field was not read that the filter asks for are to be read again. Where numbers are read in
-- another country, so are the people around them.
WITH before AS (
    SELECT r.chosen
    FROM crm.opportunity_reading AS r
    WHERE r.account_id = :account_id
),

changed AS (
    UPDATE crm.opportunity_reading AS r
    SET chosen = CAST(:chosen AS jsonb)
    WHERE r.account_id = :account_id AND r.chosen <> CAST(:chosen AS jsonb)
    RETURNING r.account_id
),

wanted AS (
    INSERT INTO crm.opportunity_question (account_id, question, record_id)
    SELECT o.account_id, 'opportunity', o.opportunity_id
    FROM crm.opportunity AS o
    INNER JOIN changed AS c ON o.account_id = c.account_id
    WHERE NOT o.deleted AND NOT o.record ?& CAST(:fields AS text [])
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
