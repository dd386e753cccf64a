-- Made of ../../engagement/prospects_with_pages.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    g.prospect_id,
    MAX(g.shipped_at) AS changed_at
FROM warehouse.prospect_page AS g
WHERE
    g.client_id = :client_id
    AND g.shipped_at > CAST(:since AS TIMESTAMP)
    AND (
        :prospect_ids IS NULL
        OR g.prospect_id IN (SELECT CAST(each AS STRING) FROM UNNEST(JSON_VALUE_ARRAY(:prospect_ids)) AS each)
    )
GROUP BY
    g.prospect_id
ORDER BY
    changed_at NULLS LAST,
    g.prospect_id
