-- What belonged to such a lead is matched anew: it waits, or is somebody else's.
WITH gone AS (
    DELETE FROM crm.opportunity_match
    WHERE account_id = :account_id AND lead_id = any(CAST(:lead_ids AS text []))
    RETURNING opportunity_id
),

due AS (
    UPDATE crm.opportunity AS o
    SET due = true
    FROM gone AS g
    WHERE o.account_id = :account_id AND o.opportunity_id = g.opportunity_id
)

SELECT count(*)
FROM gone
