-- Made of ../../engagement/new_rows.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH asked AS (
    SELECT
        CAST(JSON_VALUE(:keys, '$[' + n.[key] + ']') AS NVARCHAR(4000)) AS [key],
        CAST(JSON_VALUE(:client_ids, '$[' + n.[key] + ']') AS NVARCHAR(4000)) AS client_id,
        CAST(JSON_VALUE(:sources, '$[' + n.[key] + ']') AS NVARCHAR(4000)) AS source,
        CAST(JSON_VALUE(:sinces, '$[' + n.[key] + ']') AS DATETIMEOFFSET) AS since
    FROM OPENJSON(:keys) AS n
), shipped AS (
    SELECT
        w.[key],
        w.source,
        w.since,
        CAST(NULL AS DATETIMEOFFSET) AS shipped_at
    FROM asked AS w
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        t.shipped_at
    FROM warehouse.tag_definition AS t
    INNER JOIN [asked AS w]
        ON w.source = 'definitions' AND t.client_id = w.client_id AND t.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        s.shipped_at
    FROM warehouse.score_definition AS s
    INNER JOIN [asked AS w]
        ON w.source = 'definitions' AND s.client_id = w.client_id AND s.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        p.shipped_at
    FROM warehouse.prospect AS p
    INNER JOIN [asked AS w]
        ON w.source = 'prospects' AND p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        pt.shipped_at
    FROM warehouse.prospect_tag AS pt
    INNER JOIN [asked AS w]
        ON w.source = 'prospects' AND pt.client_id = w.client_id AND pt.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        ps.shipped_at
    FROM warehouse.prospect_score AS ps
    INNER JOIN [asked AS w]
        ON w.source = 'prospects' AND ps.client_id = w.client_id AND ps.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        g.shipped_at
    FROM warehouse.prospect_page AS g
    INNER JOIN [asked AS w]
        ON w.source = 'prospects_with_pages' AND g.client_id = w.client_id AND g.shipped_at > w.since
)
SELECT
    shipped.[key],
    shipped.source,
    COUNT_BIG(shipped.shipped_at) AS rows,
    CAST(MIN(shipped.shipped_at) AS DATETIMEOFFSET) AS oldest,
    CAST(MAX(CASE WHEN shipped.shipped_at <= SYSDATETIMEOFFSET() THEN shipped.shipped_at END) AS DATETIMEOFFSET) AS newest,
    COALESCE(
        SUM(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), shipped.shipped_at) AS DECIMAL(20, 0)) * 0.000001 - CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), shipped.since) AS DECIMAL(20, 0)) * 0.000001
        ),
        0
    ) AS seconds
FROM shipped
GROUP BY
    shipped.[key],
    shipped.source
