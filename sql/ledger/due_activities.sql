-- Activities to be sent, oldest first: those whose person is in the org, or those of
-- `of_people`, wherever these are. One of which an earlier version has been sent updates that
-- record.
SELECT
    o.operation_id,
    o.natural_key,
    o.person_key,
    o.intent,
    i.salesforce_id AS who_id,
    earlier.salesforce_id,
    earlier.person_key AS last_person_key,
    earlier.intent AS last_intent
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
LEFT JOIN LATERAL (
    SELECT e.salesforce_id, e.person_key, e.intent
    FROM crm.operation AS e
    WHERE
        o.version > 1
        AND e.account_id = o.account_id
        AND e.natural_key = o.natural_key
        AND e.version < o.version
        AND e.state = 'done'
    ORDER BY e.version DESC
    LIMIT 1
) AS earlier ON true
WHERE
    o.account_id = :account_id
    AND o.kind = 'activity'
    AND o.state = 'pending'
    AND o.operation_id > :after
    AND CASE
        WHEN CAST(:of_people AS jsonb) IS NULL THEN i.person_key IS NOT NULL
        ELSE o.person_key IN (
            SELECT each.value::bigint
            FROM jsonb_array_elements_text(CAST(:of_people AS jsonb)) AS each (value)
        )
    END
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT f.state
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
