-- The warehouse's own time, and when the newest of a client's tickets, or of its users, was shipped.
-- Parameter: client_id.
SELECT
    now() AS now,
    greatest(
        (SELECT max(p.shipped_at) FROM warehouse.person AS p WHERE p.client_id = :client_id),
        (
            SELECT max(t.shipped_at)
            FROM warehouse.feedback_ticket AS t WHERE t.client_id = :client_id
        )
    ) AS newest
