-- The warehouse's own time, and when the newest of a client's users was shipped.
-- Parameter: client_id.
SELECT
    now() AS now,
    (
        SELECT max(p.shipped_at)
        FROM warehouse.person AS p WHERE p.client_id = :client_id
    ) AS newest
