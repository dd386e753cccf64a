-- Made of ../event_sessions.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    s.event_session_id,
    s.event_id,
    s.title AS session_title,
    s.starts_at AS session_starts_at,
    s.ends_at AS session_ends_at
FROM warehouse.event_session AS s
WHERE
    s.client_id = :client_id
    AND s.event_session_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:session_ids)) AS each)
ORDER BY
    s.event_session_id
