-- Made of ../new_tracked_leads.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    w.key,
    w.source,
    COUNT(t.shipped_at) AS `rows`,
    CAST(MIN(t.shipped_at) AS TIMESTAMP) AS oldest,
    CAST(MAX(CASE WHEN t.shipped_at <= CURRENT_TIMESTAMP() THEN t.shipped_at END) AS TIMESTAMP) AS newest,
    COALESCE(
        SUM(
            CAST(UNIX_MICROS(t.shipped_at) AS NUMERIC) / 1000000 - CAST(UNIX_MICROS(w.since) AS NUMERIC) / 1000000
        ),
        0
    ) AS seconds
FROM (
    SELECT
        CAST(JSON_VALUE_ARRAY(:keys)[OFFSET(n)] AS STRING) AS key,
        CAST(JSON_VALUE_ARRAY(:client_ids)[OFFSET(n)] AS STRING) AS client_id,
        CAST(JSON_VALUE_ARRAY(:sources)[OFFSET(n)] AS STRING) AS source,
        CAST(JSON_VALUE_ARRAY(:sinces)[OFFSET(n)] AS TIMESTAMP) AS since
    FROM UNNEST(JSON_VALUE_ARRAY(:keys)) AS k WITH OFFSET AS n
) AS w
LEFT JOIN warehouse.tracked_lead AS t
    ON w.client_id = t.client_id AND t.shipped_at > w.since
GROUP BY
    w.key,
    w.source
