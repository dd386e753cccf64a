-- Made of ../../platform/end_of_feedback_tickets.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    CURRENT_TIMESTAMP() AS now,
    (SELECT MAX(each) FROM UNNEST([(
        SELECT
            MAX(p.shipped_at)
        FROM warehouse.person AS p
        WHERE
            p.client_id = :client_id
    ), (
        SELECT
            MAX(t.shipped_at)
        FROM warehouse.feedback_ticket AS t
        WHERE
            t.client_id = :client_id
    )]) AS each) AS newest
