-- Made of ../event_volumes.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH session_volume AS (
    SELECT
        s.event_id AS event_id,
        (
            SELECT
                COUNT_BIG(*)
            FROM warehouse.registration AS r
            WHERE
                r.event_session_id = s.event_session_id
        ) AS registrations,
        (
            SELECT
                COUNT_BIG(*)
            FROM warehouse.attendance AS a
            WHERE
                a.event_session_id = s.event_session_id
        ) AS attendances
    FROM warehouse.event_session AS s
    WHERE
        s.client_id = :client_id
        AND (
            CAST(:event_ids AS NVARCHAR(4000)) IS NULL
            OR s.event_id IN (SELECT f.value FROM OPENJSON(:event_ids) WITH (value BIGINT '$') AS f)
        )
)
SELECT
    v.event_id,
    CAST(SUM(v.registrations + v.attendances) AS BIGINT) AS rows,
    CAST(SUM(v.attendances) AS BIGINT) AS attendances
FROM session_volume AS v
GROUP BY
    v.event_id
ORDER BY
    v.event_id
