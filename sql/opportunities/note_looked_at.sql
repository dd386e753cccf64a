-- These opportunities were matched; the filter fires for those that entered it.
WITH looked_at AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS l (
        opportunity_id text,
        as_of timestamptz,
        waits_because text,
        in_filter boolean,
        told boolean,
        filter_fires boolean
    )
),

fired AS (
    INSERT INTO crm.opportunity_firing (account_id, opportunity_id, version, trigger)
    SELECT :account_id, l.opportunity_id, o.version, 'matching_filter'
    FROM looked_at AS l
    INNER JOIN crm.opportunity AS o
        ON o.account_id = :account_id AND l.opportunity_id = o.opportunity_id
    WHERE l.filter_fires
    ON CONFLICT DO NOTHING
)

UPDATE crm.opportunity AS o
SET
    due = false,
    looked_at = l.as_of,
    waits_because = l.waits_because,
    in_filter = l.in_filter,
    told = l.told,
    fired = CASE
        WHEN l.filter_fires THEN o.fired || jsonb_build_object('matching_filter', o.version) ELSE o.fired
    END
FROM looked_at AS l
WHERE o.account_id = :account_id AND o.opportunity_id = l.opportunity_id
