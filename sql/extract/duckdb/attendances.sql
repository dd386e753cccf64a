-- Made of ../attendances.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH changed AS (
    SELECT
        a.attendance_id
    FROM warehouse.attendance AS a
    WHERE
        a.client_id = :client_id AND a.shipped_at > :since
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.person AS p
    INNER JOIN warehouse.attendance AS a
        ON p.person_id = a.person_id
    WHERE
        p.client_id = :client_id AND p.shipped_at > :since
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.attendance AS a
        ON s.event_session_id = a.event_session_id
    WHERE
        s.client_id = :client_id AND s.shipped_at > :since
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.event AS e
    INNER JOIN warehouse.event_session AS s
        ON e.event_id = s.event_id
    INNER JOIN warehouse.attendance AS a
        ON s.event_session_id = a.event_session_id
    WHERE
        e.client_id = :client_id AND e.shipped_at > :since
    UNION
    SELECT
        pa.attendance_id
    FROM warehouse.poll_question AS pq
    INNER JOIN warehouse.poll_answer AS pa
        ON pq.poll_question_id = pa.poll_question_id
    WHERE
        pq.client_id = :client_id AND pq.shipped_at > :since
    UNION
    SELECT
        pa.attendance_id
    FROM warehouse.poll_answer AS pa
    WHERE
        pa.client_id = :client_id AND pa.shipped_at > :since
    UNION
    SELECT
        m.attendance_id
    FROM warehouse.chat_message AS m
    WHERE
        m.client_id = :client_id AND m.shipped_at > :since
    UNION
    SELECT
        m.attendance_id
    FROM warehouse.chat_reply AS cr
    INNER JOIN warehouse.chat_message AS m
        ON cr.chat_message_id = m.chat_message_id
    WHERE
        cr.client_id = :client_id AND cr.shipped_at > :since
    UNION
    SELECT
        i.attendance_id
    FROM warehouse.interaction AS i
    WHERE
        i.client_id = :client_id AND i.shipped_at > :since
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.attendance AS a
    WHERE
        a.client_id = :client_id AND a.event_session_id = ANY(
            CAST(:backfilled AS BIGINT[])
        )
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.attendance AS a
    WHERE
        a.client_id = :client_id AND a.attendance_id = ANY(
            CAST(:again AS BIGINT[])
        )
), done AS (
    SELECT
        i.attendance_id,
        MAX(i.shipped_at) AS shipped_at,
        SUM(i.seconds) AS seconds,
        COUNT(*) FILTER(WHERE
            i.kind = 'question') AS questions_asked,
        COUNT(*) FILTER(WHERE
            i.kind = 'survey') AS surveys_answered,
        COUNT(*) FILTER(WHERE
            i.kind = 'resource') AS resources_downloaded,
        COUNT(*) FILTER(WHERE
            i.kind = 'link') AS links_clicked,
        to_json(array_agg(json_object('label', i.label, 'value', i.value, 'url', i.url) ORDER BY i.happened_at, i.interaction_id) FILTER (WHERE i.kind = 'question')) AS questions,
        to_json(array_agg(json_object('label', i.label, 'value', i.value, 'url', i.url) ORDER BY i.happened_at, i.interaction_id) FILTER (WHERE i.kind = 'survey')) AS surveys,
        to_json(array_agg(json_object('label', i.label, 'value', i.value, 'url', i.url) ORDER BY i.happened_at, i.interaction_id) FILTER (WHERE i.kind = 'resource')) AS resources,
        to_json(array_agg(json_object('label', i.label, 'value', i.value, 'url', i.url) ORDER BY i.happened_at, i.interaction_id) FILTER (WHERE i.kind = 'link')) AS links,
        MAX(i.value) FILTER(WHERE
            i.kind = 'rating' AND i.recency = 1) AS rating,
        MAX(i.happened_at) FILTER(WHERE
            i.kind = 'certificate') AS certificate_at
    FROM (
        SELECT
            i.attendance_id,
            i.interaction_id,
            i.kind,
            i.label,
            i.value,
            i.url,
            i."at" AS happened_at,
            i.shipped_at,
            CASE
                WHEN ISFINITE(i.shipped_at)
                THEN CAST(EXTRACT(EPOCH FROM i.shipped_at) AS DECIMAL(38, 6))
                ELSE 0
            END AS seconds,
            ROW_NUMBER() OVER (
                PARTITION BY i.attendance_id, i.kind
                ORDER BY i."at" DESC NULLS FIRST, i.interaction_id DESC NULLS FIRST
            ) AS recency
        FROM changed AS c
        INNER JOIN warehouse.interaction AS i
            ON c.attendance_id = i.attendance_id AND i.client_id = :client_id
    ) AS i
    GROUP BY
        i.attendance_id
), poll AS (
    SELECT
        latest.attendance_id,
        MAX(latest.shipped_at) AS shipped_at,
        SUM(latest.seconds) AS seconds,
        COUNT(*) AS questions_answered,
        to_json(array_agg(json_object('question', latest.question, 'answer', latest.answer) ORDER BY latest.answered_at, latest.poll_answer_id) FILTER (WHERE latest.recency <= 10)) AS polls
    FROM (
        SELECT
            pa.attendance_id,
            pa.poll_answer_id,
            pa.answer,
            pa.answered_at,
            pq.question,
            GREATEST(pa.shipped_at, pq.shipped_at) AS shipped_at,
            CASE
                WHEN ISFINITE(pa.shipped_at)
                THEN CAST(EXTRACT(EPOCH FROM pa.shipped_at) AS DECIMAL(38, 6))
                ELSE 0
            END + CASE
                WHEN ISFINITE(pq.shipped_at)
                THEN CAST(EXTRACT(EPOCH FROM pq.shipped_at) AS DECIMAL(38, 6))
                ELSE 0
            END AS seconds,
            ROW_NUMBER() OVER (
                PARTITION BY pa.attendance_id
                ORDER BY pa.answered_at DESC NULLS FIRST, pa.poll_answer_id DESC NULLS FIRST
            ) AS recency
        FROM changed AS c
        INNER JOIN warehouse.poll_answer AS pa
            ON c.attendance_id = pa.attendance_id AND pa.client_id = :client_id
        INNER JOIN warehouse.poll_question AS pq
            ON pa.poll_question_id = pq.poll_question_id
    ) AS latest
    GROUP BY
        latest.attendance_id
), answered AS (
    SELECT
        m.chat_message_id,
        MAX(cr.shipped_at) AS shipped_at,
        SUM(
            CASE
                WHEN ISFINITE(cr.shipped_at)
                THEN CAST(EXTRACT(EPOCH FROM cr.shipped_at) AS DECIMAL(38, 6))
                ELSE 0
            END
        ) AS seconds,
        to_json(array_agg(cr.reply ORDER BY cr.replied_at, cr.chat_reply_id)) AS replies
    FROM changed AS c
    INNER JOIN warehouse.chat_message AS m
        ON c.attendance_id = m.attendance_id AND m.client_id = :client_id
    INNER JOIN warehouse.chat_reply AS cr
        ON m.chat_message_id = cr.chat_message_id
    GROUP BY
        m.chat_message_id
), chat AS (
    SELECT
        latest.attendance_id,
        MAX(latest.shipped_at) AS shipped_at,
        SUM(latest.seconds) AS seconds,
        to_json(array_agg(json_object('message', latest.message, 'replies', CAST(latest.replies AS JSON)) ORDER BY latest.sent_at, latest.chat_message_id) FILTER (WHERE latest.recency <= 5)) AS chats
    FROM (
        SELECT
            m.attendance_id,
            m.chat_message_id,
            m.message,
            m.sent_at,
            GREATEST(m.shipped_at, answered.shipped_at) AS shipped_at,
            COALESCE(answered.replies, CAST('[]' AS JSON)) AS replies,
            COALESCE(answered.seconds, 0) + CASE
                WHEN ISFINITE(m.shipped_at)
                THEN CAST(EXTRACT(EPOCH FROM m.shipped_at) AS DECIMAL(38, 6))
                ELSE 0
            END AS seconds,
            ROW_NUMBER() OVER (
                PARTITION BY m.attendance_id
                ORDER BY m.sent_at DESC NULLS FIRST, m.chat_message_id DESC NULLS FIRST
            ) AS recency
        FROM changed AS c
        INNER JOIN warehouse.chat_message AS m
            ON c.attendance_id = m.attendance_id AND m.client_id = :client_id
        LEFT JOIN answered
            ON m.chat_message_id = answered.chat_message_id
    ) AS latest
    GROUP BY
        latest.attendance_id
)
SELECT
    a.attendance_id,
    a.event_session_id,
    s.title AS session_title,
    s.starts_at AS session_starts_at,
    s.ends_at AS session_ends_at,
    e.event_id,
    e.name AS event_name,
    a.kind,
    a.role,
    a.joined_as,
    a.minutes_attended,
    a.attended_at,
    p.person_id,
    p.email,
    p.first_name,
    p.surname,
    p.title,
    p.job_title,
    p.company_name,
    p.address_1,
    p.address_2,
    p.address_3,
    p.city,
    p.county,
    p.postal_code,
    p.country_code,
    p.phone_1,
    poll.polls,
    COALESCE(poll.questions_answered, 0) AS questions_answered,
    chat.chats,
    done.questions,
    done.questions_asked,
    done.surveys,
    done.surveys_answered,
    done.resources,
    done.resources_downloaded,
    done.links,
    done.links_clicked,
    done.rating,
    done.certificate_at,
    CAST(COALESCE(poll.seconds, 0) + COALESCE(chat.seconds, 0) + COALESCE(done.seconds, 0) + CASE
        WHEN ISFINITE(a.shipped_at)
        THEN CAST(EXTRACT(EPOCH FROM a.shipped_at) AS DECIMAL(38, 6))
        ELSE 0
    END + CASE
        WHEN ISFINITE(p.shipped_at)
        THEN CAST(EXTRACT(EPOCH FROM p.shipped_at) AS DECIMAL(38, 6))
        ELSE 0
    END + CASE
        WHEN ISFINITE(s.shipped_at)
        THEN CAST(EXTRACT(EPOCH FROM s.shipped_at) AS DECIMAL(38, 6))
        ELSE 0
    END + CASE
        WHEN ISFINITE(e.shipped_at)
        THEN CAST(EXTRACT(EPOCH FROM e.shipped_at) AS DECIMAL(38, 6))
        ELSE 0
    END AS BIGINT) AS parts,
    GREATEST(a.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at, poll.shipped_at, chat.shipped_at, done.shipped_at) AS changed_at
FROM changed AS c
INNER JOIN warehouse.attendance AS a
    ON c.attendance_id = a.attendance_id
INNER JOIN warehouse.person AS p
    ON a.person_id = p.person_id
INNER JOIN warehouse.event_session AS s
    ON a.event_session_id = s.event_session_id
INNER JOIN warehouse.event AS e
    ON s.event_id = e.event_id
LEFT JOIN done
    ON c.attendance_id = done.attendance_id
LEFT JOIN poll
    ON c.attendance_id = poll.attendance_id
LEFT JOIN chat
    ON c.attendance_id = chat.attendance_id
WHERE
    a.client_id = :client_id
    AND (
        CAST(:sessions AS BIGINT[]) IS NULL
        OR a.event_session_id = ANY(
            CAST(:sessions AS BIGINT[])
        )
    )
ORDER BY
    changed_at,
    a.attendance_id
