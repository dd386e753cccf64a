-- Another version of these opportunities, which fires as an update.
WITH grown AS (
    UPDATE crm.opportunity AS o
    SET
        version = n.version,
        fired = o.fired || jsonb_build_object('updated', n.version),
        due = true
    FROM (
        SELECT p.opportunity_id, greatest(p.version, m.versions_from) + 1 AS version
        FROM crm.opportunity AS p
        LEFT JOIN crm.ledger_mark AS m ON p.account_id = m.account_id
        WHERE
            p.account_id = :account_id
            AND p.opportunity_id = any(CAST(:opportunity_ids AS text []))
    ) AS n
    WHERE o.account_id = :account_id AND o.opportunity_id = n.opportunity_id
    RETURNING o.opportunity_id, o.version
)

INSERT INTO crm.opportunity_firing (account_id, opportunity_id, version, trigger)
SELECT :account_id, g.opportunity_id, g.version, 'updated'
FROM grown AS g
