-- Updates, or removals, emptied fields of records that stand for other people as well, of the account or
-- of another one that works in the org: those are decided anew, and write there what they want, as far as
-- it is still empty; but nobody with an address that was removed, and, where nothing is kept (not :keeps),
-- nobody of another account. Fields that go together are emptied whole: while the person wants one of
-- them, nothing of others comes there.
WITH emptied AS (
    SELECT DISTINCT e.salesforce_id, whole.field
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS e (
            operation_id bigint,
            salesforce_id text,
            fields jsonb
        )
    LEFT JOIN crm.operation AS o ON e.operation_id = o.operation_id
    CROSS JOIN LATERAL jsonb_array_elements_text(e.fields) AS f (field)
    CROSS JOIN LATERAL (
        SELECT lower(f.field) AS field
        UNION
        SELECT jsonb_array_elements_text(g.names)
        FROM jsonb_array_elements(CAST(:together AS jsonb)) AS g (names)
        WHERE g.names ? lower(f.field)
    ) AS whole
    WHERE NOT EXISTS (
        SELECT FROM jsonb_array_elements(CAST(:together AS jsonb)) AS g (names)
        INNER JOIN LATERAL jsonb_each(o.intent -> o.sobject) AS said
            ON g.names ? lower(said.key) AND said.value <> 'null'
        WHERE g.names ? lower(f.field)
    )
),

others AS (
    SELECT known.account_id, known.person_key, array_agg(DISTINCT said.key) AS fields
    FROM emptied AS e
    INNER JOIN crm.account_of_same_org AS a
        ON a.account_id = :account_id AND (:keeps OR a.same_org_id = :account_id)
    INNER JOIN crm.identity AS known
        ON a.same_org_id = known.account_id AND e.salesforce_id = known.salesforce_id
    INNER JOIN crm.person AS p
        ON
            known.person_key = p.person_key
            AND p.successor IS NULL
            AND coalesce(p.address, '') <> all(CAST(:removed AS text []))
    INNER JOIN LATERAL jsonb_each(known.sent) AS said
        ON e.field = lower(said.key) AND said.value <> 'null'
    GROUP BY known.account_id, known.person_key
),

filling AS (
    UPDATE crm.identity AS i
    SET left_behind = coalesce(i.left_behind, '{}') || w.fields
    FROM others AS w
    WHERE i.account_id = w.account_id AND i.person_key = w.person_key
)

UPDATE crm.latest_version AS o
SET
    state = CASE WHEN o.state = 'done' THEN 'pending' ELSE o.state END,
    action = NULL,
    sent = NULL
FROM others AS w
WHERE
    o.account_id = w.account_id
    AND o.natural_key = 'person:' || w.person_key
    AND o.state IN ('done', 'pending', 'failed', 'exhausted')
