-- Made of ../addresses.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    p.person_id,
    p.email,
    LEAST(p.shipped_at, SYSDATETIMEOFFSET()) AS changed_at
FROM warehouse.person AS p
WHERE
    p.client_id = :client_id
    AND p.person_id IN (SELECT f.value FROM OPENJSON(:person_ids) WITH (value BIGINT '$') AS f)
