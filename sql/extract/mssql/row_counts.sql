-- Made of ../row_counts.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH part AS (
    SELECT
        each.attendance_id AS attendance_id,
        MAX(each.shipped_at) AS shipped_at,
        SUM(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), each.shipped_at) AS DECIMAL(20, 0)) * 0.000001
        ) AS seconds
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
        GREATEST(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at) AS changed_at,
        CAST(COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), r.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) + COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), p.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) + COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), s.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) + COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), e.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) AS BIGINT) AS parts
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
        GREATEST(a.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at, part.shipped_at),
        CAST(COALESCE(part.seconds, 0) + COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), a.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) + COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), p.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) + COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), s.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) + COALESCE(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), e.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
            0
        ) AS BIGINT)
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
        x.id AS id,
        x.is_whole AS is_whole,
        x.parts AS parts,
        GREATEST(CAST(x.changed_at AS DATETIMEOFFSET), CAST('1970-01-01 00:00:00+00:00' AS DATETIMEOFFSET)) AS changed_at
    FROM participation AS x
    WHERE
        x.id IS NOT NULL
        AND x.changed_at <= CAST(:until AS DATETIMEOFFSET)
        AND (
            CAST(:sessions AS NVARCHAR(4000)) IS NULL
            OR x.event_session_id IN (SELECT f.value FROM OPENJSON(:sessions) WITH (value BIGINT '$') AS f)
        )
), dated AS (
    SELECT
        b.id AS id,
        b.is_whole AS is_whole,
        b.parts AS parts,
        b.changed_at AS changed_at,
        CAST(b.changed_at AT TIME ZONE 'UTC' AS DATE) AS day,
        CASE
            WHEN CAST(b.changed_at AT TIME ZONE 'UTC' AS DATE) IN (SELECT f.value FROM OPENJSON(:days) WITH (value DATE '$') AS f)
            THEN 1
            ELSE 0
        END AS is_named
    FROM bounded AS b
)
SELECT
    d.day,
    COUNT_BIG(CASE WHEN d.is_whole = 1 THEN 1 END) AS rows,
    COALESCE(
        SUM(
            CASE
                WHEN d.is_whole = 1
                THEN CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), d.changed_at) AS DECIMAL(20, 0)) * 0.000001 + d.id
            END
        ),
        0
    ) AS seconds,
    CAST(COALESCE(SUM(CASE WHEN d.is_whole = 1 THEN d.parts END), 0) AS BIGINT) AS parts,
    '[' + STRING_AGG(CAST(CASE WHEN d.is_whole = 0 THEN d.id END AS NVARCHAR(MAX)), ',') WITHIN GROUP (ORDER BY d.id) + ']' AS incomplete,
    '[' + STRING_AGG(CAST(CASE WHEN d.is_whole = 1 AND d.is_named = 1 THEN d.id END AS NVARCHAR(MAX)), ',') WITHIN GROUP (ORDER BY d.id) + ']' AS ids,
    '[' + STRING_AGG(CAST(CASE
        WHEN d.is_whole = 1 AND d.is_named = 1
        THEN '"' + STRING_ESCAPE(CAST(CONVERT(NVARCHAR(40), CAST(d.changed_at AS DATETIMEOFFSET), 127) AS NVARCHAR(MAX)), 'json') + '"'
    END AS NVARCHAR(MAX)), ',') WITHIN GROUP (ORDER BY d.id) + ']' AS times,
    '[' + STRING_AGG(CAST(CASE WHEN d.is_whole = 1 AND d.is_named = 1 THEN d.parts END AS NVARCHAR(MAX)), ',') WITHIN GROUP (ORDER BY d.id) + ']' AS parts_of
FROM dated AS d
GROUP BY
    d.day
ORDER BY
    d.day
