-- A client's event sessions, with how many registrations and attendances each has.
--
-- Parameter: client_id. The columns' names are the contract, as in registrations.sql.
SELECT
    s.event_session_id,
    s.title AS session_title,
    e.name AS event_name,
    (
        SELECT count(*)
        FROM warehouse.registration AS r
        WHERE r.event_session_id = s.event_session_id
    )
    + (
        SELECT count(*)
        FROM warehouse.attendance AS a
        WHERE a.event_session_id = s.event_session_id
    ) AS rows
FROM warehouse.event_session AS s
INNER JOIN warehouse.event AS e ON s.event_id = e.event_id
WHERE s.client_id = :client_id
ORDER BY s.event_session_id
