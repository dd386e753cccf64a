-- Another version of these opportunities: it fires as a new one, or as an update of a known one. One
-- that was made before the first reading's beginning is none that is new.
WITH grown AS (
    UPDATE crm.opportunity AS o
    SET version = o.version + 1, due = true
    WHERE
        o.account_id = :account_id
        AND o.opportunity_id = any(CAST(:opportunity_ids AS text []))
    RETURNING o.opportunity_id, o.version, o.created_at
),

fired AS (
    INSERT INTO crm.opportunity_firing (account_id, opportunity_id, version, trigger)
    SELECT
        :account_id,
        g.opportunity_id,
        g.version,
        CASE WHEN g.version = 1 AND g.created_at >= r.begins_at THEN 'new' ELSE 'updated' END
    FROM grown AS g
    INNER JOIN crm.opportunity_reading AS r ON r.account_id = :account_id
    RETURNING trigger
)

SELECT
    count(*) FILTER (WHERE version = 1) AS new,
    count(*) FILTER (WHERE version > 1) AS changed
FROM grown
