-- Made of ../sessions.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    s.event_session_id,
    s.title AS session_title,
    e.name AS event_name,
    (
        SELECT
            COUNT(*)
        FROM warehouse.registration AS r
        WHERE
            r.event_session_id = s.event_session_id
    ) + (
        SELECT
            COUNT(*)
        FROM warehouse.attendance AS a
        WHERE
            a.event_session_id = s.event_session_id
    ) AS "rows"
FROM warehouse.event_session AS s
INNER JOIN warehouse.event AS e
    ON s.event_id = e.event_id
WHERE
    s.client_id = :client_id
ORDER BY
    s.event_session_id
