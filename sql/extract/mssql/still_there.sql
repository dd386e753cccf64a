-- Made of ../still_there.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    r.registration_id AS id
FROM warehouse.registration AS r
INNER JOIN warehouse.person AS p
    ON r.person_id = p.person_id
INNER JOIN warehouse.event_session AS s
    ON r.event_session_id = s.event_session_id
INNER JOIN warehouse.event AS e
    ON s.event_id = e.event_id
WHERE
    :source = 'registrations'
    AND r.client_id = :client_id
    AND r.registration_id IN (SELECT f.value FROM OPENJSON(:ids) WITH (value BIGINT '$') AS f)
UNION ALL
SELECT
    a.attendance_id
FROM warehouse.attendance AS a
INNER JOIN warehouse.person AS p
    ON a.person_id = p.person_id
INNER JOIN warehouse.event_session AS s
    ON a.event_session_id = s.event_session_id
INNER JOIN warehouse.event AS e
    ON s.event_id = e.event_id
WHERE
    :source = 'attendances'
    AND a.client_id = :client_id
    AND a.attendance_id IN (SELECT f.value FROM OPENJSON(:ids) WITH (value BIGINT '$') AS f)
