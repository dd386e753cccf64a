-- Activities to be sent, oldest first: those whose person is in the org, or those of
-- `of_people`, wherever these are. One of which an earlier version has been sent updates that
-- record; one that is to be gone needs no person.
SELECT
    o.operation_id,
    o.natural_key,
    o.person_key,
    o.intent,
    i.salesforce_id AS who_id,
    CASE WHEN NOT earlier.gone THEN earlier.salesforce_id END AS salesforce_id,
    CASE WHEN NOT earlier.is_doubtful THEN earlier.person_key END AS last_person_key,
    CASE WHEN NOT earlier.is_doubtful THEN earlier.intent END AS last_intent,
    CASE WHEN o.gone THEN coalesce(o.reason, 'to be gone') END AS gone_because
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
LEFT JOIN LATERAL (
    SELECT
        e.salesforce_id,
        e.person_key,
        e.intent,
        e.gone,
        -- What was sent since without success may be in the org all the same.
        EXISTS (
            SELECT FROM crm.operation AS sent
            WHERE
                sent.account_id = e.account_id
                AND sent.natural_key = e.natural_key
                AND sent.version > e.version
                AND sent.version < o.version
                AND sent.sent_at IS NOT NULL
        ) AS is_doubtful
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
        WHEN CAST(:of_people AS jsonb) IS NULL THEN i.person_key IS NOT NULL OR o.gone
        ELSE o.person_key IN (
            SELECT each.value::bigint
            FROM jsonb_array_elements_text(CAST(:of_people AS jsonb)) AS each (value)
        )
    END
    -- Not while an earlier version has no outcome, or is still to be deleted.
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT
                CASE
                    WHEN f.gone AND f.version < o.version AND f.state IN ('pending', 'failed')
                        THEN 'in_flight'
                    ELSE f.state
                END
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
