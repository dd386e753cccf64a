-- Keeps opportunities as they were read, with their histories; those of which something is other than
-- before get another version, which fires. A field that was not read then says nothing of that, nor does
-- a history of which nothing is shown. Of one that is deleted the last state stays; one that was never
-- read otherwise is passed over.
WITH told AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (
        opportunity_id text, record jsonb, history jsonb, deleted boolean, stamp timestamptz,
        created_at timestamptz
    )
),

known AS MATERIALIZED (
    SELECT
        t.opportunity_id,
        t.record,
        CASE WHEN t.history = '[]' THEN o.history ELSE t.history END AS history,
        t.stamp,
        t.deleted AS is_gone,
        o.deleted AS was_gone,
        greatest(o.version, m.versions_from) + 1 AS next_version,
        o.record <> t.record AS is_read_otherwise,
        -- The platform may know it otherwise, by what an older copy of the ledger does not know.
        t.stamp > o.stamp AND o.version <= m.versions_from AS may_be_told_otherwise,
        o.deleted
        OR t.opportunity_id = any(CAST(:retyped AS text []))
        OR t.history NOT IN ('[]', o.history)
        OR EXISTS (
            SELECT FROM jsonb_each(t.record) AS f
            WHERE o.record -> f.key <> f.value
        ) AS differs
    FROM told AS t
    INNER JOIN crm.opportunity AS o
        ON o.account_id = :account_id AND t.opportunity_id = o.opportunity_id
    LEFT JOIN crm.ledger_mark AS m ON o.account_id = m.account_id
),

gone AS (
    UPDATE crm.opportunity AS o
    SET
        deleted = true,
        stamp = k.stamp,
        version = k.next_version,
        fired = o.fired || jsonb_build_object('updated', k.next_version),
        due = true
    FROM known AS k
    WHERE
        o.account_id = :account_id
        AND o.opportunity_id = k.opportunity_id
        AND k.is_gone
        AND NOT k.was_gone
    RETURNING o.opportunity_id, o.version
),

again AS (
    UPDATE crm.opportunity AS o
    SET
        record = k.record,
        history = k.history,
        deleted = false,
        stamp = k.stamp,
        version = CASE
            WHEN k.differs OR k.may_be_told_otherwise THEN k.next_version ELSE o.version
        END,
        fired = CASE
            WHEN k.differs THEN o.fired || jsonb_build_object('updated', k.next_version) ELSE o.fired
        END,
        due = true
    FROM known AS k
    WHERE
        o.account_id = :account_id
        AND o.opportunity_id = k.opportunity_id
        AND NOT k.is_gone
        AND (k.differs OR k.is_read_otherwise OR k.may_be_told_otherwise)
    RETURNING o.opportunity_id, o.version, k.differs
),

for_the_first_time AS (
    INSERT INTO crm.opportunity (
        account_id, opportunity_id, record, history, deleted, version, fired, stamp, created_at
    )
    SELECT
        :account_id,
        t.opportunity_id,
        t.record,
        t.history,
        false,
        coalesce(m.versions_from, 0) + 1,
        jsonb_build_object(
            CASE WHEN t.created_at >= r.begins_at THEN 'new' ELSE 'updated' END,
            coalesce(m.versions_from, 0) + 1
        ),
        t.stamp,
        t.created_at
    FROM told AS t
    INNER JOIN crm.opportunity_reading AS r ON r.account_id = :account_id
    LEFT JOIN crm.ledger_mark AS m ON r.account_id = m.account_id
    LEFT JOIN known AS k ON t.opportunity_id = k.opportunity_id
    WHERE k.opportunity_id IS NULL AND NOT t.deleted
    RETURNING opportunity_id, version, fired
),

asked AS (
    INSERT INTO crm.opportunity_question (account_id, question, record_id)
    SELECT :account_id, 'converted', n.opportunity_id
    FROM for_the_first_time AS n
    ON CONFLICT DO NOTHING
),

fired AS (
    INSERT INTO crm.opportunity_firing (account_id, opportunity_id, version, trigger)
    SELECT
        :account_id,
        n.opportunity_id,
        n.version,
        CASE WHEN n.fired ? 'new' THEN 'new' ELSE 'updated' END
    FROM for_the_first_time AS n
    UNION ALL
    SELECT :account_id, a.opportunity_id, a.version, 'updated'
    FROM again AS a
    WHERE a.differs
    UNION ALL
    SELECT :account_id, g.opportunity_id, g.version, 'updated'
    FROM gone AS g
)

SELECT
    (SELECT count(*) FROM for_the_first_time) AS new,
    (SELECT count(*) FROM again WHERE differs) + (SELECT count(*) FROM gone) AS changed,
    array(SELECT opportunity_id FROM gone) AS gone
