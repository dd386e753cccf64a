-- Made of ../events.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    e.event_id,
    e.name,
    e.starts_at,
    e.ends_at,
    e.series,
    e.budget,
    (
        SELECT
            MIN(x.starts_at)
        FROM warehouse.event AS x
        WHERE
            x.client_id = e.client_id AND x.series = e.series
    ) AS series_starts_at,
    (
        SELECT
            MAX(x.ends_at)
        FROM warehouse.event AS x
        WHERE
            x.client_id = e.client_id AND x.series = e.series
    ) AS series_ends_at,
    held.sessions
FROM warehouse.event AS e
LEFT JOIN (
    SELECT
        s.event_id,
        ARRAY_AGG(s.event_session_id IGNORE NULLS ORDER BY s.event_session_id) AS sessions
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.event AS x
        ON s.event_id = x.event_id
    WHERE
        x.client_id = :client_id
        AND x.event_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:event_ids)) AS each)
    GROUP BY
        s.event_id
) AS held
    ON e.event_id = held.event_id
WHERE
    e.client_id = :client_id
    AND e.event_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:event_ids)) AS each)
ORDER BY
    e.event_id
