-- Made of ../../platform/new_feedback_tickets.sql by `make extracts`: there it says what this is for, and
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
        p.shipped_at
    FROM warehouse.person AS p
    INNER JOIN [asked AS w]
        ON p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        t.shipped_at
    FROM warehouse.feedback_ticket AS t
    INNER JOIN [asked AS w]
        ON t.client_id = w.client_id AND t.shipped_at > w.since
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
