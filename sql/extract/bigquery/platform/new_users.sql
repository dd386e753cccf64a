-- Made of ../../platform/new_users.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    w.key,
    w.source,
    COUNT(p.shipped_at) AS `rows`,
    CAST(MIN(p.shipped_at) AS TIMESTAMP) AS oldest,
    CAST(MAX(CASE WHEN p.shipped_at <= CURRENT_TIMESTAMP() THEN p.shipped_at END) AS TIMESTAMP) AS newest,
    COALESCE(
        SUM(
            CAST(UNIX_MICROS(p.shipped_at) AS NUMERIC) / 1000000 - CAST(UNIX_MICROS(w.since) AS NUMERIC) / 1000000
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
LEFT JOIN warehouse.person AS p
    ON w.client_id = p.client_id AND p.shipped_at > w.since
GROUP BY
    w.key,
    w.source
