-- The rows of a client's people with some addresses: those of them that are not sent are told when
-- somebody is looked for.
--
-- Parameters: client_id; source, 'registrations' or 'attendances'; emails: as people.sql gives them.
-- The column's name is the contract: `id` is what the source has as registration_id or attendance_id.
SELECT r.registration_id AS id
FROM warehouse.person AS p
INNER JOIN warehouse.registration AS r ON p.person_id = r.person_id
WHERE
    :source = 'registrations'
    AND p.client_id = :client_id
    AND r.client_id = :client_id
    AND p.email = any(CAST(:emails AS text []))
UNION ALL
SELECT a.attendance_id
FROM warehouse.person AS p
INNER JOIN warehouse.attendance AS a ON p.person_id = a.person_id
WHERE
    :source = 'attendances'
    AND p.client_id = :client_id
    AND a.client_id = :client_id
    AND p.email = any(CAST(:emails AS text []))
