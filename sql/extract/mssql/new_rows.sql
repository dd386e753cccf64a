-- Made of ../new_rows.sql by `make extracts`: there it says what this is for, and
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
        e.shipped_at
    FROM warehouse.event AS e
    INNER JOIN [asked AS w]
        ON e.client_id = w.client_id AND e.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        s.shipped_at
    FROM warehouse.event_session AS s
    INNER JOIN [asked AS w]
        ON s.client_id = w.client_id AND s.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        r.shipped_at
    FROM warehouse.registration AS r
    INNER JOIN [asked AS w]
        ON w.source = 'registrations' AND r.client_id = w.client_id AND r.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        a.shipped_at
    FROM warehouse.attendance AS a
    INNER JOIN [asked AS w]
        ON w.source = 'attendances' AND a.client_id = w.client_id AND a.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        pq.shipped_at
    FROM warehouse.poll_question AS pq
    INNER JOIN [asked AS w]
        ON w.source = 'attendances' AND pq.client_id = w.client_id AND pq.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        pa.shipped_at
    FROM warehouse.poll_answer AS pa
    INNER JOIN [asked AS w]
        ON w.source = 'attendances' AND pa.client_id = w.client_id AND pa.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        m.shipped_at
    FROM warehouse.chat_message AS m
    INNER JOIN [asked AS w]
        ON w.source = 'attendances' AND m.client_id = w.client_id AND m.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        cr.shipped_at
    FROM warehouse.chat_reply AS cr
    INNER JOIN [asked AS w]
        ON w.source = 'attendances' AND cr.client_id = w.client_id AND cr.shipped_at > w.since
    UNION ALL
    SELECT
        w.[key],
        w.source,
        w.since,
        i.shipped_at
    FROM warehouse.interaction AS i
    INNER JOIN [asked AS w]
        ON w.source = 'attendances' AND i.client_id = w.client_id AND i.shipped_at > w.since
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
