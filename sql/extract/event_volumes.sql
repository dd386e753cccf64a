-- Numbers of registrations and attendances of some events of a client, or of all: of both together, and
-- of attendances alone, which may be left out.
--
-- Parameters: client_id; event_ids (NULL: all). Same tables as registrations.sql and attendances.sql.
WITH session_volume AS (
    SELECT
        s.event_id,
        (
            SELECT count(*)
            FROM warehouse.registration AS r
            WHERE r.event_session_id = s.event_session_id
        ) AS registrations,
        (
            SELECT count(*)
            FROM warehouse.attendance AS a
            WHERE a.event_session_id = s.event_session_id
        ) AS attendances
    FROM warehouse.event_session AS s
    WHERE
        s.client_id = :client_id
        AND (
            CAST(:event_ids AS bigint []) IS NULL
            OR s.event_id = any(CAST(:event_ids AS bigint []))
        )
)

SELECT
    v.event_id,
    CAST(sum(v.registrations + v.attendances) AS bigint) AS rows,
    CAST(sum(v.attendances) AS bigint) AS attendances
FROM session_volume AS v
GROUP BY v.event_id
ORDER BY v.event_id
