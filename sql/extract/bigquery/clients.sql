-- Made of ../clients.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    shipped.client_id,
    CAST(SUM(shipped.registrations) AS INT64) AS registrations,
    CAST(SUM(shipped.attendances) AS INT64) AS attendances,
    CAST(MAX(shipped.newest) AS TIMESTAMP) AS newest
FROM (
    SELECT
        e.client_id,
        0 AS registrations,
        0 AS attendances,
        MAX(e.shipped_at) AS newest
    FROM warehouse.event AS e
    WHERE
        :client_ids IS NULL
        OR e.client_id IN (SELECT CAST(each AS STRING) FROM UNNEST(JSON_VALUE_ARRAY(:client_ids)) AS each)
    GROUP BY
        e.client_id
    UNION ALL
    SELECT
        r.client_id,
        COUNT(*),
        0,
        MAX(r.shipped_at)
    FROM warehouse.registration AS r
    WHERE
        :client_ids IS NULL
        OR r.client_id IN (SELECT CAST(each AS STRING) FROM UNNEST(JSON_VALUE_ARRAY(:client_ids)) AS each)
    GROUP BY
        r.client_id
    UNION ALL
    SELECT
        a.client_id,
        0,
        COUNT(*),
        MAX(a.shipped_at)
    FROM warehouse.attendance AS a
    WHERE
        :client_ids IS NULL
        OR a.client_id IN (SELECT CAST(each AS STRING) FROM UNNEST(JSON_VALUE_ARRAY(:client_ids)) AS each)
    GROUP BY
        a.client_id
) AS shipped
GROUP BY
    shipped.client_id
ORDER BY
    shipped.client_id
