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
        p.person_id IS NOT NULL AND e.event_id IS NOT NULL AS is_whole,
        greatest(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at) AS changed_at,
        CAST(coalesce(shipped.seconds, 0) AS bigint) AS parts
    FROM warehouse.registration AS r
    LEFT JOIN warehouse.person AS p ON r.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s ON r.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e ON s.event_id = e.event_id
    CROSS JOIN LATERAL (
        SELECT
            sum(CAST(extract(EPOCH FROM v.shipped_at) AS numeric (38, 6)))
            FILTER (WHERE isfinite(v.shipped_at)) AS seconds
        FROM (
            VALUES (r.shipped_at), (p.shipped_at), (s.shipped_at), (e.shipped_at)
        ) AS v (shipped_at)
    ) AS shipped
    WHERE :source = 'registrations' AND r.client_id = :client_id
    UNION ALL
    SELECT
        a.attendance_id,
        a.event_session_id,
        p.person_id IS NOT NULL AND e.event_id IS NOT NULL,
        greatest(a.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at, part.shipped_at),
        CAST(coalesce(shipped.seconds, 0) + coalesce(part.seconds, 0) AS bigint)
    FROM warehouse.attendance AS a
    LEFT JOIN warehouse.person AS p ON a.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s ON a.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e ON s.event_id = e.event_id
    LEFT JOIN part ON a.attendance_id = part.attendance_id
    CROSS JOIN LATERAL (
        SELECT
            sum(CAST(extract(EPOCH FROM v.shipped_at) AS numeric (38, 6)))
            FILTER (WHERE isfinite(v.shipped_at)) AS seconds
        FROM (
            VALUES (a.shipped_at), (p.shipped_at), (s.shipped_at), (e.shipped_at)
        ) AS v (shipped_at)
    ) AS shipped
    WHERE :source = 'attendances' AND a.client_id = :client_id
),

dated AS (
    SELECT
        x.id,
        x.is_whole,
        x.parts,
        bounded.changed_at,
        CAST(bounded.changed_at AT TIME ZONE 'UTC' AS date) AS day
    FROM participation AS x
    -- No cycle asks for what was shipped before 1970: here it counts as if it were then.
    CROSS JOIN LATERAL (
        SELECT greatest(CAST(x.changed_at AS timestamptz), to_timestamp(0)) AS changed_at
    ) AS bounded
    WHERE
        x.id IS NOT NULL
        AND x.changed_at <= :until
        AND (
            CAST(:sessions AS bigint []) IS NULL
            OR x.event_session_id = any(CAST(:sessions AS bigint []))
        )
)

SELECT
    d.day,
    count(*) FILTER (WHERE d.is_whole) AS rows,
    coalesce(
        sum(CAST(extract(EPOCH FROM d.changed_at) AS numeric (38, 6)) + d.id)
        FILTER (WHERE d.is_whole),
        0
    ) AS seconds,
    coalesce(sum(d.parts) FILTER (WHERE d.is_whole), 0)::bigint AS parts,
    array_agg(d.id) FILTER (WHERE NOT d.is_whole) AS incomplete,
    array_agg(d.id) FILTER (WHERE d.is_whole AND d.day = any(CAST(:days AS date []))) AS ids,
    array_agg(d.changed_at)
    FILTER (WHERE d.is_whole AND d.day = any(CAST(:days AS date []))) AS times,
    array_agg(d.parts) FILTER (WHERE d.is_whole AND d.day = any(CAST(:days AS date []))) AS parts_of
FROM dated AS d
GROUP BY d.day
ORDER BY d.day
