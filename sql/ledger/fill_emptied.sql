-- People of whose records others emptied fields are decided anew, and write there what they want, as far
-- as it is still empty.
WITH emptied AS (
    DELETE FROM crm.emptied_field
    WHERE account_id = :account_id
    RETURNING person_key, field
),

filling AS (
    UPDATE crm.identity AS i
    SET left_behind = coalesce(i.left_behind, '{}') || w.fields
    FROM (
        SELECT known.person_key, array_agg(DISTINCT said.key) AS fields
        FROM emptied AS e
        INNER JOIN crm.person AS p ON e.person_key = p.person_key AND p.successor IS NULL
        INNER JOIN crm.identity AS known
            ON known.account_id = :account_id AND e.person_key = known.person_key
        INNER JOIN LATERAL jsonb_each(known.sent) AS said
            ON e.field = lower(said.key) AND said.value <> 'null'
        GROUP BY known.person_key
    ) AS w
    WHERE i.account_id = :account_id AND i.person_key = w.person_key
    RETURNING i.person_key
)

UPDATE crm.latest_version AS o
SET
    state = CASE WHEN o.state = 'done' THEN 'pending' ELSE o.state END,
    action = NULL,
    sent = NULL
FROM filling AS f
WHERE
    o.account_id = :account_id
    AND o.natural_key = 'person:' || f.person_key
    AND o.state IN ('done', 'pending', 'failed', 'exhausted')
