-- Made of ../event_volumes.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH session_volume AS (
    SELECT
        s.event_id,
        (
            SELECT
                COUNT(*)
            FROM warehouse.registration AS r
            WHERE
                r.event_session_id = s.event_session_id
        ) AS registrations,
        (
            SELECT
                COUNT(*)
            FROM warehouse.attendance AS a
            WHERE
                a.event_session_id = s.event_session_id
        ) AS attendances
    FROM warehouse.event_session AS s
    WHERE
        s.client_id = :client_id
        AND (
            :event_ids IS NULL
            OR s.event_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:event_ids)) AS each)
        )
)
SELECT
    v.event_id,
    CAST(SUM(v.registrations + v.attendances) AS INT64) AS `rows`,
    CAST(SUM(v.attendances) AS INT64) AS attendances
FROM session_volume AS v
GROUP BY
    v.event_id
ORDER BY
    v.event_id
