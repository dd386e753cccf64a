-- A contact who is somebody else's as well stays, and is read again: who it is is to be told anew.
WITH shared AS (
    UPDATE crm.opportunity_person
    SET tracker_id = NULL, email = NULL, phones = '{}'
    WHERE account_id = :account_id AND record_id = any(CAST(:shared_ids AS text []))
    RETURNING 1
),

gone AS (
    DELETE FROM crm.opportunity_person
    WHERE
        account_id = :account_id
        AND (email = any(:addresses) OR record_id = any(CAST(:record_ids AS text [])))
        AND NOT record_id = any(CAST(:shared_ids AS text []))
    RETURNING 1
)

SELECT (SELECT count(*) FROM shared) + (SELECT count(*) FROM gone) AS number
