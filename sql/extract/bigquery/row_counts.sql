-- Made of ../row_counts.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH part AS (
    SELECT
        each.attendance_id,
        MAX(each.shipped_at) AS shipped_at,
        SUM(CAST(UNIX_MICROS(each.shipped_at) AS NUMERIC) / 1000000) AS seconds
    FROM (
        SELECT
            pa.attendance_id,
            pa.shipped_at
        FROM warehouse.poll_answer AS pa
        INNER JOIN warehouse.poll_question AS pq
            ON pa.poll_question_id = pq.poll_question_id
        WHERE
            pa.client_id = :client_id
        UNION ALL
        SELECT
            pa.attendance_id,
            pq.shipped_at
        FROM warehouse.poll_answer AS pa
        INNER JOIN warehouse.poll_question AS pq
            ON pa.poll_question_id = pq.poll_question_id
        WHERE
            pa.client_id = :client_id
        UNION ALL
        SELECT
            m.attendance_id,
            m.shipped_at
        FROM warehouse.chat_message AS m
        WHERE
            m.client_id = :client_id
        UNION ALL
        SELECT
            m.attendance_id,
            cr.shipped_at
        FROM warehouse.chat_message AS m
        INNER JOIN warehouse.chat_reply AS cr
            ON m.chat_message_id = cr.chat_message_id
        WHERE
            m.client_id = :client_id
        UNION ALL
        SELECT
            i.attendance_id,
            i.shipped_at
        FROM warehouse.interaction AS i
        WHERE
            i.client_id = :client_id
    ) AS each
    WHERE
        :source = 'attendances'
    GROUP BY
        each.attendance_id
), participation AS (
    SELECT
        r.registration_id AS id,
        r.event_session_id,
        CASE WHEN p.person_id IS NULL OR e.event_id IS NULL THEN 0 ELSE 1 END AS is_whole,
        (SELECT MAX(each) FROM UNNEST([r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at]) AS each) AS changed_at,
        CAST(COALESCE(CAST(UNIX_MICROS(r.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(p.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(s.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(e.shipped_at) AS NUMERIC) / 1000000, 0) AS INT64) AS parts
    FROM warehouse.registration AS r
    LEFT JOIN warehouse.person AS p
        ON r.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s
        ON r.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e
        ON s.event_id = e.event_id
    WHERE
        :source = 'registrations' AND r.client_id = :client_id
    UNION ALL
    SELECT
        a.attendance_id,
        a.event_session_id,
        CASE WHEN p.person_id IS NULL OR e.event_id IS NULL THEN 0 ELSE 1 END,
        (SELECT MAX(each) FROM UNNEST([a.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at, part.shipped_at]) AS each),
        CAST(COALESCE(part.seconds, 0) + COALESCE(CAST(UNIX_MICROS(a.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(p.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(s.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(e.shipped_at) AS NUMERIC) / 1000000, 0) AS INT64)
    FROM warehouse.attendance AS a
    LEFT JOIN warehouse.person AS p
        ON a.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s
        ON a.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e
        ON s.event_id = e.event_id
    LEFT JOIN part
        ON a.attendance_id = part.attendance_id
    WHERE
        :source = 'attendances' AND a.client_id = :client_id
), bounded AS (
    SELECT
        x.id,
        x.is_whole,
        x.parts,
        (SELECT MAX(each) FROM UNNEST([CAST(x.changed_at AS TIMESTAMP), CAST('1970-01-01 00:00:00+00:00' AS TIMESTAMP)]) AS each) AS changed_at
    FROM participation AS x
    WHERE
        x.id IS NOT NULL
        AND x.changed_at <= CAST(:until AS TIMESTAMP)
        AND (
            :sessions IS NULL
            OR x.event_session_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:sessions)) AS each)
        )
), dated AS (
    SELECT
        b.id,
        b.is_whole,
        b.parts,
        b.changed_at,
        CAST(TIMESTAMP(DATETIME(b.changed_at, 'UTC')) AS DATE) AS day,
        CASE
            WHEN CAST(TIMESTAMP(DATETIME(b.changed_at, 'UTC')) AS DATE) IN (SELECT CAST(each AS DATE) FROM UNNEST(JSON_VALUE_ARRAY(:days)) AS each)
            THEN 1
            ELSE 0
        END AS is_named
    FROM bounded AS b
)
SELECT
    d.day,
    COUNT(CASE WHEN d.is_whole = 1 THEN 1 END) AS `rows`,
    COALESCE(
        SUM(CASE WHEN d.is_whole = 1 THEN CAST(UNIX_MICROS(d.changed_at) AS NUMERIC) / 1000000 + d.id END),
        0
    ) AS seconds,
    CAST(COALESCE(SUM(CASE WHEN d.is_whole = 1 THEN d.parts END), 0) AS INT64) AS parts,
    ARRAY_AGG(CASE WHEN d.is_whole = 0 THEN d.id END IGNORE NULLS ORDER BY d.id) AS incomplete,
    ARRAY_AGG(CASE WHEN d.is_whole = 1 AND d.is_named = 1 THEN d.id END IGNORE NULLS ORDER BY d.id) AS ids,
    ARRAY_AGG(CASE WHEN d.is_whole = 1 AND d.is_named = 1 THEN CAST(d.changed_at AS TIMESTAMP) END IGNORE NULLS ORDER BY d.id) AS times,
    ARRAY_AGG(CASE WHEN d.is_whole = 1 AND d.is_named = 1 THEN d.parts END IGNORE NULLS ORDER BY d.id) AS parts_of
FROM dated AS d
GROUP BY
    d.day
ORDER BY
    d.day
