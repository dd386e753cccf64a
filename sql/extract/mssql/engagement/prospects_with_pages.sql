-- Made of ../../engagement/prospects_with_pages.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    g.prospect_id,
    MAX(g.shipped_at) AS changed_at
FROM warehouse.prospect_page AS g
WHERE
    g.client_id = :client_id
    AND g.shipped_at > CAST(:since AS DATETIMEOFFSET)
    AND (
        CAST(:prospect_ids AS NVARCHAR(4000)) IS NULL
        OR g.prospect_id IN (SELECT f.value FROM OPENJSON(:prospect_ids) WITH (value NVARCHAR(4000) '$') AS f)
    )
GROUP BY
    g.prospect_id
ORDER BY
    CASE WHEN MAX(g.shipped_at) IS NULL THEN 1 ELSE 0 END, MAX(g.shipped_at),
    g.prospect_id
