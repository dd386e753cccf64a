-- The warehouse's own time, and when the newest of a client's tracked leads was shipped.
-- Parameter: client_id.
SELECT
    now() AS now,
    (
        SELECT max(t.shipped_at)
        FROM warehouse.tracked_lead AS t WHERE t.client_id = :client_id
    ) AS newest
