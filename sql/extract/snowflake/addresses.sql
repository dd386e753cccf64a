-- Made of ../addresses.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    p.person_id,
    p.email,
    LEAST_IGNORE_NULLS(p.shipped_at, CURRENT_TIMESTAMP()) AS changed_at
FROM warehouse.person AS p
WHERE
    p.client_id = :client_id
    AND p.person_id IN (SELECT CAST(f.value AS BIGINT) FROM TABLE(FLATTEN(INPUT => PARSE_JSON(:person_ids))) AS f)
