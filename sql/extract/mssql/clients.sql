-- Made of ../clients.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    shipped.client_id,
    CAST(SUM(shipped.registrations) AS BIGINT) AS registrations,
    CAST(SUM(shipped.attendances) AS BIGINT) AS attendances,
    CAST(MAX(shipped.newest) AS DATETIMEOFFSET) AS newest
FROM (
    SELECT
        e.client_id,
        0 AS registrations,
        0 AS attendances,
        MAX(e.shipped_at) AS newest
    FROM warehouse.event AS e
    WHERE
        CAST(:client_ids AS NVARCHAR(4000)) IS NULL
        OR e.client_id IN (SELECT f.value FROM OPENJSON(:client_ids) WITH (value NVARCHAR(4000) '$') AS f)
    GROUP BY
        e.client_id
    UNION ALL
    SELECT
        r.client_id,
        COUNT_BIG(*),
        0,
        MAX(r.shipped_at)
    FROM warehouse.registration AS r
    WHERE
        CAST(:client_ids AS NVARCHAR(4000)) IS NULL
        OR r.client_id IN (SELECT f.value FROM OPENJSON(:client_ids) WITH (value NVARCHAR(4000) '$') AS f)
    GROUP BY
        r.client_id
    UNION ALL
    SELECT
        a.client_id,
        0,
        COUNT_BIG(*),
        MAX(a.shipped_at)
    FROM warehouse.attendance AS a
    WHERE
        CAST(:client_ids AS NVARCHAR(4000)) IS NULL
        OR a.client_id IN (SELECT f.value FROM OPENJSON(:client_ids) WITH (value NVARCHAR(4000) '$') AS f)
    GROUP BY
        a.client_id
) AS shipped
GROUP BY
    shipped.client_id
ORDER BY
    shipped.client_id
