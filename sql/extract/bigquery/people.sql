-- Made of ../people.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    p.email
FROM warehouse.person AS p
WHERE
    p.client_id = :client_id
