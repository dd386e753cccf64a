-- A client's rows of a source by the day (UTC) of their last shipping up to :until, to be compared
-- with what was read of them: how many, the sum of their times in seconds since 1970 and of their
-- ids, how many poll answers, chat messages, replies and interactions they have, the ids of those that cannot be
-- read since their person, session or event is not there; and of some days the rows themselves.
-- The ids are in the sum since a row that vanished would else hide one that is as old as it was.
--
-- Parameters: client_id; sessions, as in registrations.sql; source, 'registrations' or
-- 'attendances'; until; days: those whose rows are to be named. Count the rows that
-- registrations.sql and attendances.sql give, with the same `changed_at` and `parts`. `incomplete`, `ids`,
-- `times` and `parts_of` are arrays, NULL where there is nothing.
WITH shipped AS (
    SELECT
        r.registration_id AS id,
        r.event_session_id,
        p.person_id IS NOT NULL AND e.event_id IS NOT NULL AS is_whole,
        greatest(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at) AS changed_at,
        0 AS parts
    FROM warehouse.registration AS r
    LEFT JOIN warehouse.person AS p ON r.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s ON r.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e ON s.event_id = e.event_id
    WHERE :source = 'registrations' AND r.client_id = :client_id
    UNION ALL
    SELECT
        a.attendance_id,
        a.event_session_id,
        p.person_id IS NOT NULL AND e.event_id IS NOT NULL,
        greatest(
            a.shipped_at,
            p.shipped_at,
            s.shipped_at,
            e.shipped_at,
            poll.shipped_at,
            chat.shipped_at,
            done.shipped_at
        ),
        coalesce(poll.parts, 0) + coalesce(chat.parts, 0) + coalesce(done.parts, 0)
    FROM warehouse.attendance AS a
    LEFT JOIN warehouse.person AS p ON a.person_id = p.person_id
    LEFT JOIN warehouse.event_session AS s ON a.event_session_id = s.event_session_id
    LEFT JOIN warehouse.event AS e ON s.event_id = e.event_id
    LEFT JOIN (
        SELECT
            pa.attendance_id,
            max(greatest(pa.shipped_at, pq.shipped_at)) AS shipped_at,
            count(*) AS parts
        FROM warehouse.poll_answer AS pa
        INNER JOIN warehouse.poll_question AS pq ON pa.poll_question_id = pq.poll_question_id
        WHERE pa.client_id = :client_id
        GROUP BY pa.attendance_id
    ) AS poll ON a.attendance_id = poll.attendance_id
    LEFT JOIN (
        SELECT
            m.attendance_id,
            max(greatest(m.shipped_at, cr.shipped_at)) AS shipped_at,
            count(DISTINCT m.chat_message_id) + count(cr.chat_reply_id) AS parts
        FROM warehouse.chat_message AS m
        LEFT JOIN warehouse.chat_reply AS cr ON m.chat_message_id = cr.chat_message_id
        WHERE m.client_id = :client_id
        GROUP BY m.attendance_id
    ) AS chat ON a.attendance_id = chat.attendance_id
    LEFT JOIN (
        SELECT
            i.attendance_id,
            max(i.shipped_at) AS shipped_at,
            count(*) AS parts
        FROM warehouse.interaction AS i
        WHERE i.client_id = :client_id
        GROUP BY i.attendance_id
    ) AS done ON a.attendance_id = done.attendance_id
    WHERE :source = 'attendances' AND a.client_id = :client_id
),

dated AS (
    SELECT
        x.id,
        x.is_whole,
        x.parts,
        bounded.changed_at,
        CAST(bounded.changed_at AT TIME ZONE 'UTC' AS date) AS day
    FROM shipped AS x
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
        sum(CAST(extract(EPOCH FROM d.changed_at) AS numeric) + d.id)
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
