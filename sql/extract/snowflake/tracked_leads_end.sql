-- Made of ../tracked_leads_end.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    CURRENT_TIMESTAMP() AS now,
    (
        SELECT
            MAX(t.shipped_at)
        FROM warehouse.tracked_lead AS t
        WHERE
            t.client_id = :client_id
    ) AS newest
