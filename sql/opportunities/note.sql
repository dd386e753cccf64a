-- Keeps opportunities as they were read. Returns new ones, whose first version fires, and those of which
-- something is other than before: a field that was not read then says nothing of that. Of one that is
-- deleted the last state stays; one that was never read otherwise is passed over.
WITH told AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (
        opportunity_id text, record jsonb, deleted boolean, stamp timestamptz,
        created_at timestamptz
    )
),

before AS (
    SELECT
        o.opportunity_id,
        o.deleted OR EXISTS (
            SELECT FROM jsonb_each(t.record) AS f
            WHERE o.record -> f.key <> f.value
        ) AS differs
    FROM told AS t
    INNER JOIN crm.opportunity AS o
        ON o.account_id = :account_id AND t.opportunity_id = o.opportunity_id
    WHERE NOT t.deleted
),

gone AS (
    UPDATE crm.opportunity AS o
    SET deleted = true, stamp = t.stamp
    FROM told AS t
    WHERE
        o.account_id = :account_id
        AND o.opportunity_id = t.opportunity_id
        AND t.deleted
        AND NOT o.deleted
    RETURNING o.opportunity_id
),

noted AS (
    INSERT INTO crm.opportunity AS o (
        account_id, opportunity_id, record, deleted, version, stamp, created_at
    )
    SELECT :account_id, t.opportunity_id, t.record, false, 1, t.stamp, t.created_at
    FROM told AS t
    WHERE NOT t.deleted
    ON CONFLICT (account_id, opportunity_id) DO UPDATE
    SET record = excluded.record, deleted = false, stamp = excluded.stamp, due = true
    WHERE o.record <> excluded.record OR o.deleted
    RETURNING o.opportunity_id, o.created_at
),

fired AS (
    INSERT INTO crm.opportunity_firing (account_id, opportunity_id, version, trigger)
    SELECT
        :account_id,
        n.opportunity_id,
        1,
        CASE WHEN n.created_at >= r.begins_at THEN 'new' ELSE 'updated' END
    FROM noted AS n
    LEFT JOIN before AS b ON n.opportunity_id = b.opportunity_id
    INNER JOIN crm.opportunity_reading AS r ON r.account_id = :account_id
    WHERE b.opportunity_id IS NULL
)

SELECT g.opportunity_id, false AS is_new
FROM gone AS g
UNION ALL
SELECT n.opportunity_id, b.opportunity_id IS NULL
FROM noted AS n
LEFT JOIN before AS b ON n.opportunity_id = b.opportunity_id
WHERE coalesce(b.differs, true)
