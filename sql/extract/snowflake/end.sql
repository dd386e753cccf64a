-- Made of ../end.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    CURRENT_TIMESTAMP() AS now,
    GREATEST_IGNORE_NULLS((
        SELECT
            MAX(p.shipped_at)
        FROM warehouse.person AS p
        WHERE
            p.client_id = :client_id
    ), (
        SELECT
            MAX(e.shipped_at)
        FROM warehouse.event AS e
        WHERE
            e.client_id = :client_id
    ), (
        SELECT
            MAX(s.shipped_at)
        FROM warehouse.event_session AS s
        WHERE
            s.client_id = :client_id
    ), CASE
        WHEN :source = 'registrations'
        THEN (
            SELECT
                MAX(r.shipped_at)
            FROM warehouse.registration AS r
            WHERE
                r.client_id = :client_id
        )
    END, CASE
        WHEN :source = 'attendances'
        THEN GREATEST_IGNORE_NULLS((
            SELECT
                MAX(a.shipped_at)
            FROM warehouse.attendance AS a
            WHERE
                a.client_id = :client_id
        ), (
            SELECT
                MAX(pq.shipped_at)
            FROM warehouse.poll_question AS pq
            WHERE
                pq.client_id = :client_id
        ), (
            SELECT
                MAX(pa.shipped_at)
            FROM warehouse.poll_answer AS pa
            WHERE
                pa.client_id = :client_id
        ), (
            SELECT
                MAX(m.shipped_at)
            FROM warehouse.chat_message AS m
            WHERE
                m.client_id = :client_id
        ), (
            SELECT
                MAX(cr.shipped_at)
            FROM warehouse.chat_reply AS cr
            WHERE
                cr.client_id = :client_id
        ), (
            SELECT
                MAX(i.shipped_at)
            FROM warehouse.interaction AS i
            WHERE
                i.client_id = :client_id
        ))
    END) AS newest
