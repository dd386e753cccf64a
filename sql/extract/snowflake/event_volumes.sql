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
            OR s.event_id IN (SELECT CAST(f.value AS BIGINT) FROM TABLE(FLATTEN(INPUT => PARSE_JSON(:event_ids))) AS f)
        )
)
SELECT
    v.event_id,
    CAST(SUM(v.registrations + v.attendances) AS BIGINT) AS "rows",
    CAST(SUM(v.attendances) AS BIGINT) AS attendances
FROM session_volume AS v
GROUP BY
    v.event_id
ORDER BY
    v.event_id
