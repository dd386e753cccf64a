-- Another version of these opportunities, which fires as an update.
WITH grown AS (
    UPDATE crm.opportunity AS o
    SET
        version = o.version + 1,
        fired = o.fired || jsonb_build_object('updated', o.version + 1),
        due = true
    WHERE
        o.account_id = :account_id
        AND o.opportunity_id = any(CAST(:opportunity_ids AS text []))
    RETURNING o.opportunity_id, o.version
)

INSERT INTO crm.opportunity_firing (account_id, opportunity_id, version, trigger)
SELECT :account_id, g.opportunity_id, g.version, 'updated'
FROM grown AS g
