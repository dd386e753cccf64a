-- Made of ../../platform/new_users.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    w.[key],
    w.source,
    COUNT_BIG(p.shipped_at) AS rows,
    CAST(MIN(p.shipped_at) AS DATETIMEOFFSET) AS oldest,
    CAST(MAX(CASE WHEN p.shipped_at <= SYSDATETIMEOFFSET() THEN p.shipped_at END) AS DATETIMEOFFSET) AS newest,
    COALESCE(
        SUM(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), p.shipped_at) AS DECIMAL(20, 0)) * 0.000001 - CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), w.since) AS DECIMAL(20, 0)) * 0.000001
        ),
        0
    ) AS seconds
FROM (
    SELECT
        CAST(JSON_VALUE(:keys, '$[' + n.[key] + ']') AS NVARCHAR(4000)) AS [key],
        CAST(JSON_VALUE(:client_ids, '$[' + n.[key] + ']') AS NVARCHAR(4000)) AS client_id,
        CAST(JSON_VALUE(:sources, '$[' + n.[key] + ']') AS NVARCHAR(4000)) AS source,
        CAST(JSON_VALUE(:sinces, '$[' + n.[key] + ']') AS DATETIMEOFFSET) AS since
    FROM OPENJSON(:keys) AS n
) AS w
LEFT JOIN warehouse.person AS p
    ON w.client_id = p.client_id AND p.shipped_at > w.since
GROUP BY
    w.[key],
    w.source
