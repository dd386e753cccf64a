-- Made of ../rows_of_people.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    r.registration_id AS id
FROM warehouse.person AS p
INNER JOIN warehouse.registration AS r
    ON p.person_id = r.person_id
WHERE
    :source = 'registrations'
    AND p.client_id = :client_id
    AND r.client_id = :client_id
    AND p.email IN (SELECT f.value FROM OPENJSON(:emails) WITH (value NVARCHAR(4000) '$') AS f)
UNION ALL
SELECT
    a.attendance_id
FROM warehouse.person AS p
INNER JOIN warehouse.attendance AS a
    ON p.person_id = a.person_id
WHERE
    :source = 'attendances'
    AND p.client_id = :client_id
    AND a.client_id = :client_id
    AND p.email IN (SELECT f.value FROM OPENJSON(:emails) WITH (value NVARCHAR(4000) '$') AS f)
