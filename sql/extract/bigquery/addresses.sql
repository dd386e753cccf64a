-- Made of ../addresses.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    p.person_id,
    p.email,
    (SELECT MIN(each) FROM UNNEST([p.shipped_at, CURRENT_TIMESTAMP()]) AS each) AS changed_at
FROM warehouse.person AS p
WHERE
    p.client_id = :client_id
    AND p.person_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:person_ids)) AS each)
