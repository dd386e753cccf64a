-- Nothing points to these people any more: others have what of them was not sent yet, and their
-- records where they had none themselves.
WITH absorbed AS (
    SELECT *
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS a (person_key bigint, successor bigint)
),

successors AS (
    UPDATE crm.person AS p
    SET successor = a.successor, absorbed_at = now()
    FROM absorbed AS a
    WHERE p.account_id = :account_id AND p.person_key = a.person_key
),

followed AS (
    -- Those for whom one of them stood until now.
    UPDATE crm.person AS p
    SET successor = a.successor, absorbed_at = now()
    FROM absorbed AS a
    WHERE p.account_id = :account_id AND p.successor = a.person_key
),

identities AS (
    UPDATE crm.identity AS i
    SET person_key = a.successor
    FROM (
        SELECT DISTINCT ON (each.successor) each.person_key, each.successor
        FROM absorbed AS each
        INNER JOIN crm.identity AS theirs
            ON theirs.account_id = :account_id AND each.person_key = theirs.person_key
        ORDER BY each.successor, theirs.as_of DESC
    ) AS a
    WHERE
        i.account_id = :account_id
        AND i.person_key = a.person_key
        AND NOT EXISTS (
            SELECT FROM crm.identity AS own
            WHERE own.account_id = :account_id AND own.person_key = a.successor
        )
),

tracked_leads AS (
    UPDATE crm.tracked_lead AS t
    SET person_key = a.successor, moved = true, changed_at = now()
    FROM absorbed AS a
    WHERE t.account_id = :account_id AND t.person_key = a.person_key
),

pointers AS (
    -- Of the ids by which somebody was absorbed none is left here.
    UPDATE crm.person_pointer AS p
    SET person_key = a.successor
    FROM absorbed AS a
    WHERE p.account_id = :account_id AND p.person_key = a.person_key
)

UPDATE crm.operation AS o
SET person_key = a.successor
FROM absorbed AS a
WHERE
    o.account_id = :account_id
    AND o.person_key = a.person_key
    AND o.kind = 'activity'
    AND o.state IN ('pending', 'failed', 'exhausted', 'left_out')
