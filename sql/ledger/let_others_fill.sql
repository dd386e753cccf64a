-- Updates, or removals, emptied fields of records that stand for other people as well, of the account or
-- of another one that works in the org: that is noted for those; but for nobody with an address that was
-- removed, and, where nothing is kept (not :keeps), for nobody of another account. Fields that go together
-- are emptied whole: while the person wants one of them, nothing of others comes there.
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
)

INSERT INTO crm.emptied_field (account_id, person_key, field)
SELECT known.account_id, known.person_key, e.field
FROM emptied AS e
INNER JOIN crm.account_of_same_org AS a
    ON a.account_id = :account_id AND (:keeps OR a.same_org_id = :account_id)
INNER JOIN crm.identity AS known
    ON a.same_org_id = known.account_id AND e.salesforce_id = known.salesforce_id
INNER JOIN crm.person AS p
    ON
        known.person_key = p.person_key
        AND coalesce(p.address, '') <> all(CAST(:removed AS text []))
