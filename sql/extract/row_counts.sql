-- A client's rows of a source by the day (UTC) of their last shipping up to :until, to be compared
-- with what was read of them: how many, the sum of their times in seconds since 1970 and of their
-- ids, the sum of their `parts`, the ids of those that cannot be read since their person, session or
-- event is not there; and of some days the rows themselves.
-- The ids are in the sum since a row that vanished would else hide one that is as old as it was.
--
-- Parameters: client_id; sessions, as in registrations.sql; source, 'registrations' or
-- 'attendances'; until; days: those whose rows are to be named. Count the rows that
-- registrations.sql and attendances.sql give, with the same `changed_at` and `parts`. `incomplete`, `ids`,
-- `times` and `parts_of` are arrays, NULL where there is nothing.
WITH part AS (
    SELECT
        each.attendance_id,
        max(each.shipped_at) AS shipped_at,
        sum(CAST(extract(EPOCH FROM each.shipped_at) AS numeric (38, 6)))
        FILTER (WHERE isfinite(each.shipped_at)) AS seconds
    FROM (
        SELECT pa.attendance_id, pa.shipped_at
        FROM warehouse.poll_answer AS pa
        INNER JOIN warehouse.poll_question AS pq ON pa.poll_question_id = pq.poll_question_id
        WHERE pa.client_id = :client_id
        UNION ALL
        SELECT pa.attendance_id, pq.shipped_at
        FROM warehouse.poll_answer AS pa
        INNER JOIN warehouse.poll_question AS pq ON pa.poll_question_id = pq.poll_question_id
        WHERE pa.client_id = :client_id
        UNION ALL
        SELECT m.attendance_id, m.shipped_at
        FROM warehouse.chat_message AS m
        WHERE m.client_id = :client_id
        UNION ALL
        SELECT m.attendance_id, cr.shipped_at
        FROM warehouse.chat_message AS m
        INNER JOIN warehouse.chat_reply AS cr ON m.chat_message_id = cr.chat_message_id
        WHERE m.client_id = :client_id
        UNION ALL
        SELECT i.attendance_id, i.shipped_at
        FROM warehouse.interaction AS i
        WHERE i.client_id = :client_id
    ) AS each
    WHERE :source = 'attendances'
    GROUP BY each.attendance_id
),

participation AS (
    SELECT
        r.registration_id AS id,
        r.event_session_id,
        CASE WHEN p.person_id IS NULL OR e.event_id IS NULL THEN 0 ELSE 1 END AS is_whole,
        greatest(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at) AS changed_at,
        CAST(
            CASE
                WHEN isfinite(r.shipped_at)
                    THEN CAST(extract(EPOCH FROM r.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            + CASE
                WHEN isfinite(p.shipped_at)
                    THEN CAST(extract(EPOCH FROM p.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            + CASE
                WHEN isfinite(s.shipped_at)
                    THEN CAST(extract(EPOCH FROM s.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            + CASE
                WHEN isfinite(e.shipped_at)
                    THEN CAST(extract(EPOCH FROM e.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            AS bigint
        ) AS parts
    FROM warehouse.registration AS r
    LEFT JOIN warehouse.person AS p ON r.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s ON r.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e ON s.event_id = e.event_id
    WHERE :source = 'registrations' AND r.client_id = :client_id
    UNION ALL
    SELECT
        a.attendance_id,
        a.event_session_id,
        CASE WHEN p.person_id IS NULL OR e.event_id IS NULL THEN 0 ELSE 1 END,
        greatest(a.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at, part.shipped_at),
        CAST(
            coalesce(part.seconds, 0)
            + CASE
                WHEN isfinite(a.shipped_at)
                    THEN CAST(extract(EPOCH FROM a.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            + CASE
                WHEN isfinite(p.shipped_at)
                    THEN CAST(extract(EPOCH FROM p.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            + CASE
                WHEN isfinite(s.shipped_at)
                    THEN CAST(extract(EPOCH FROM s.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            + CASE
                WHEN isfinite(e.shipped_at)
                    THEN CAST(extract(EPOCH FROM e.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            AS bigint
        )
    FROM warehouse.attendance AS a
    LEFT JOIN warehouse.person AS p ON a.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s ON a.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e ON s.event_id = e.event_id
    LEFT JOIN part ON a.attendance_id = part.attendance_id
    WHERE :source = 'attendances' AND a.client_id = :client_id
),

bounded AS (
    SELECT
        x.id,
        x.is_whole,
        x.parts,
        -- No cycle asks for what was shipped before 1970: here it counts as if it were then.
        greatest(
            CAST(x.changed_at AS timestamptz), CAST('1970-01-01 00:00:00+00:00' AS timestamptz)
        ) AS changed_at
    FROM participation AS x
    WHERE
        x.id IS NOT NULL
        AND x.changed_at <= CAST(:until AS timestamptz)
        AND (
            CAST(:sessions AS bigint []) IS NULL
            OR x.event_session_id = any(CAST(:sessions AS bigint []))
        )
),

dated AS (
    SELECT
        b.id,
        b.is_whole,
        b.parts,
        b.changed_at,
        CAST(b.changed_at AT TIME ZONE 'UTC' AS date) AS day,
        CASE
            WHEN CAST(b.changed_at AT TIME ZONE 'UTC' AS date) = any(CAST(:days AS date []))
                THEN 1
            ELSE 0
        END AS is_named
    FROM bounded AS b
)

SELECT
    d.day,
    count(*) FILTER (WHERE d.is_whole = 1) AS rows,
    coalesce(
        sum(CAST(extract(EPOCH FROM d.changed_at) AS numeric (38, 6)) + d.id)
        FILTER (WHERE d.is_whole = 1),
        0
    ) AS seconds,
    CAST(coalesce(sum(d.parts) FILTER (WHERE d.is_whole = 1), 0) AS bigint) AS parts,
    array_agg(d.id ORDER BY d.id) FILTER (WHERE d.is_whole = 0) AS incomplete,
    array_agg(d.id ORDER BY d.id) FILTER (WHERE d.is_whole = 1 AND d.is_named = 1) AS ids,
    array_agg(CAST(d.changed_at AS timestamptz) ORDER BY d.id)
    FILTER (WHERE d.is_whole = 1 AND d.is_named = 1) AS times,
    array_agg(d.parts ORDER BY d.id)
    FILTER (WHERE d.is_whole = 1 AND d.is_named = 1) AS parts_of
FROM dated AS d
GROUP BY d.day
ORDER BY d.day
