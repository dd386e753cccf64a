-- The warehouse's own time, and when the newest row of a client's source was shipped.
-- Parameters: client_id; source, 'registrations' or 'attendances'. Same tables as new_rows.sql.
SELECT
    now() AS now,
    greatest(
        (SELECT max(p.shipped_at) FROM warehouse.person AS p WHERE p.client_id = :client_id),
        (SELECT max(e.shipped_at) FROM warehouse.event AS e WHERE e.client_id = :client_id),
        (
            SELECT max(s.shipped_at)
            FROM warehouse.event_session AS s WHERE s.client_id = :client_id
        ),
        CASE WHEN :source = 'registrations' THEN (
            SELECT max(r.shipped_at)
            FROM warehouse.registration AS r WHERE r.client_id = :client_id
        ) END,
        CASE WHEN :source = 'attendances' THEN greatest(
            (
                SELECT max(a.shipped_at)
                FROM warehouse.attendance AS a WHERE a.client_id = :client_id
            ),
            (
                SELECT max(pq.shipped_at)
                FROM warehouse.poll_question AS pq WHERE pq.client_id = :client_id
            ),
            (
                SELECT max(pa.shipped_at)
                FROM warehouse.poll_answer AS pa WHERE pa.client_id = :client_id
            ),
            (
                SELECT max(m.shipped_at)
                FROM warehouse.chat_message AS m WHERE m.client_id = :client_id
            ),
            (
                SELECT max(cr.shipped_at)
                FROM warehouse.chat_reply AS cr WHERE cr.client_id = :client_id
            ),
            (
                SELECT max(i.shipped_at)
                FROM warehouse.interaction AS i WHERE i.client_id = :client_id
            )
        ) END
    ) AS newest
