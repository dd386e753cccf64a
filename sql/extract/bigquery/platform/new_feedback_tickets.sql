-- Made of ../../platform/new_feedback_tickets.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH asked AS (
    SELECT
        CAST(JSON_VALUE_ARRAY(:keys)[OFFSET(n)] AS STRING) AS key,
        CAST(JSON_VALUE_ARRAY(:client_ids)[OFFSET(n)] AS STRING) AS client_id,
        CAST(JSON_VALUE_ARRAY(:sources)[OFFSET(n)] AS STRING) AS source,
        CAST(JSON_VALUE_ARRAY(:sinces)[OFFSET(n)] AS TIMESTAMP) AS since
    FROM UNNEST(JSON_VALUE_ARRAY(:keys)) AS k WITH OFFSET AS n
), shipped AS (
    SELECT
        w.key,
        w.source,
        w.since,
        CAST(NULL AS TIMESTAMP) AS shipped_at
    FROM asked AS w
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        p.shipped_at
    FROM warehouse.person AS p
    INNER JOIN `asked AS w`
        ON p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        t.shipped_at
    FROM warehouse.feedback_ticket AS t
    INNER JOIN `asked AS w`
        ON t.client_id = w.client_id AND t.shipped_at > w.since
)
SELECT
    shipped.key,
    shipped.source,
    COUNT(shipped.shipped_at) AS `rows`,
    CAST(MIN(shipped.shipped_at) AS TIMESTAMP) AS oldest,
    CAST(MAX(CASE WHEN shipped.shipped_at <= CURRENT_TIMESTAMP() THEN shipped.shipped_at END) AS TIMESTAMP) AS newest,
    COALESCE(
        SUM(
            CAST(UNIX_MICROS(shipped.shipped_at) AS NUMERIC) / 1000000 - CAST(UNIX_MICROS(shipped.since) AS NUMERIC) / 1000000
        ),
        0
    ) AS seconds
FROM shipped
GROUP BY
    shipped.key,
    shipped.source
