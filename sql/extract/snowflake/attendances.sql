-- Made of ../attendances.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH changed AS (
    SELECT
        a.attendance_id
    FROM warehouse.attendance AS a
    WHERE
        a.client_id = :client_id AND a.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.person AS p
    INNER JOIN warehouse.attendance AS a
        ON p.person_id = a.person_id
    WHERE
        p.client_id = :client_id AND p.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.attendance AS a
        ON s.event_session_id = a.event_session_id
    WHERE
        s.client_id = :client_id AND s.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.event AS e
    INNER JOIN warehouse.event_session AS s
        ON e.event_id = s.event_id
    INNER JOIN warehouse.attendance AS a
        ON s.event_session_id = a.event_session_id
    WHERE
        e.client_id = :client_id AND e.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        pa.attendance_id
    FROM warehouse.poll_question AS pq
    INNER JOIN warehouse.poll_answer AS pa
        ON pq.poll_question_id = pa.poll_question_id
    WHERE
        pq.client_id = :client_id AND pq.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        pa.attendance_id
    FROM warehouse.poll_answer AS pa
    WHERE
        pa.client_id = :client_id AND pa.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        m.attendance_id
    FROM warehouse.chat_message AS m
    WHERE
        m.client_id = :client_id AND m.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        m.attendance_id
    FROM warehouse.chat_reply AS cr
    INNER JOIN warehouse.chat_message AS m
        ON cr.chat_message_id = m.chat_message_id
    WHERE
        cr.client_id = :client_id AND cr.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        i.attendance_id
    FROM warehouse.interaction AS i
    WHERE
        i.client_id = :client_id AND i.shipped_at > CAST(:since AS TIMESTAMPTZ)
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.attendance AS a
    WHERE
        a.client_id = :client_id
        AND a.event_session_id IN (SELECT CAST(f.value AS BIGINT) FROM TABLE(FLATTEN(INPUT => PARSE_JSON(:backfilled))) AS f)
    UNION
    SELECT
        a.attendance_id
    FROM warehouse.attendance AS a
    WHERE
        a.client_id = :client_id
        AND a.attendance_id IN (SELECT CAST(f.value AS BIGINT) FROM TABLE(FLATTEN(INPUT => PARSE_JSON(:again))) AS f)
), done AS (
    SELECT
        i.attendance_id,
        MAX(i.shipped_at) AS shipped_at,
        SUM(i.seconds) AS seconds,
        COUNT(CASE WHEN i.kind = 'question' THEN 1 END) AS questions_asked,
        COUNT(CASE WHEN i.kind = 'survey' THEN 1 END) AS surveys_answered,
        COUNT(CASE WHEN i.kind = 'resource' THEN 1 END) AS resources_downloaded,
        COUNT(CASE WHEN i.kind = 'link' THEN 1 END) AS links_clicked,
        ARRAY_AGG(CASE
            WHEN i.kind = 'question'
            THEN OBJECT_CONSTRUCT_KEEP_NULL('label', i.label, 'value', i.value, 'url', i.url)
        END) WITHIN GROUP (ORDER BY i.happened_at, i.interaction_id) AS questions,
        ARRAY_AGG(CASE
            WHEN i.kind = 'survey'
            THEN OBJECT_CONSTRUCT_KEEP_NULL('label', i.label, 'value', i.value, 'url', i.url)
        END) WITHIN GROUP (ORDER BY i.happened_at, i.interaction_id) AS surveys,
        ARRAY_AGG(CASE
            WHEN i.kind = 'resource'
            THEN OBJECT_CONSTRUCT_KEEP_NULL('label', i.label, 'value', i.value, 'url', i.url)
        END) WITHIN GROUP (ORDER BY i.happened_at, i.interaction_id) AS resources,
        ARRAY_AGG(CASE
            WHEN i.kind = 'link'
            THEN OBJECT_CONSTRUCT_KEEP_NULL('label', i.label, 'value', i.value, 'url', i.url)
        END) WITHIN GROUP (ORDER BY i.happened_at, i.interaction_id) AS links,
        MAX(CASE WHEN i.kind = 'rating' AND i.recency = 1 THEN i.value END) AS rating,
        MAX(CASE WHEN i.kind = 'certificate' THEN i.happened_at END) AS certificate_at
    FROM (
        SELECT
            i.attendance_id,
            i.interaction_id,
            i.kind,
            i.label,
            i.value,
            i.url,
            i.at AS happened_at,
            i.shipped_at,
            COALESCE(DATE_PART(EPOCH_MICROSECOND, i.shipped_at) / 1000000, 0) AS seconds,
            ROW_NUMBER() OVER (PARTITION BY i.attendance_id, i.kind ORDER BY i.at DESC, i.interaction_id DESC) AS recency
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
        ARRAY_AGG(CASE
            WHEN latest.recency <= 10
            THEN OBJECT_CONSTRUCT_KEEP_NULL('question', latest.question, 'answer', latest.answer)
        END) WITHIN GROUP (ORDER BY latest.answered_at, latest.poll_answer_id) AS polls
    FROM (
        SELECT
            pa.attendance_id,
            pa.poll_answer_id,
            pa.answer,
            pa.answered_at,
            pq.question,
            GREATEST_IGNORE_NULLS(pa.shipped_at, pq.shipped_at) AS shipped_at,
            COALESCE(DATE_PART(EPOCH_MICROSECOND, pa.shipped_at) / 1000000, 0) + COALESCE(DATE_PART(EPOCH_MICROSECOND, pq.shipped_at) / 1000000, 0) AS seconds,
            ROW_NUMBER() OVER (PARTITION BY pa.attendance_id ORDER BY pa.answered_at DESC, pa.poll_answer_id DESC) AS recency
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
        SUM(COALESCE(DATE_PART(EPOCH_MICROSECOND, cr.shipped_at) / 1000000, 0)) AS seconds,
        ARRAY_AGG(cr.reply) WITHIN GROUP (ORDER BY cr.replied_at, cr.chat_reply_id) AS replies
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
        ARRAY_AGG(CASE
            WHEN latest.recency <= 5
            THEN OBJECT_CONSTRUCT_KEEP_NULL('message', latest.message, 'replies', latest.replies)
        END) WITHIN GROUP (ORDER BY latest.sent_at, latest.chat_message_id) AS chats
    FROM (
        SELECT
            m.attendance_id,
            m.chat_message_id,
            m.message,
            m.sent_at,
            GREATEST_IGNORE_NULLS(m.shipped_at, answered.shipped_at) AS shipped_at,
            COALESCE(answered.replies, PARSE_JSON('[]')) AS replies,
            COALESCE(answered.seconds, 0) + COALESCE(DATE_PART(EPOCH_MICROSECOND, m.shipped_at) / 1000000, 0) AS seconds,
            ROW_NUMBER() OVER (PARTITION BY m.attendance_id ORDER BY m.sent_at DESC, m.chat_message_id DESC) AS recency
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
    CAST(COALESCE(poll.seconds, 0) + COALESCE(chat.seconds, 0) + COALESCE(done.seconds, 0) + COALESCE(DATE_PART(EPOCH_MICROSECOND, a.shipped_at) / 1000000, 0) + COALESCE(DATE_PART(EPOCH_MICROSECOND, p.shipped_at) / 1000000, 0) + COALESCE(DATE_PART(EPOCH_MICROSECOND, s.shipped_at) / 1000000, 0) + COALESCE(DATE_PART(EPOCH_MICROSECOND, e.shipped_at) / 1000000, 0) AS BIGINT) AS parts,
    GREATEST_IGNORE_NULLS(a.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at, poll.shipped_at, chat.shipped_at, done.shipped_at) AS changed_at
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
        :sessions IS NULL
        OR a.event_session_id IN (SELECT CAST(f.value AS BIGINT) FROM TABLE(FLATTEN(INPUT => PARSE_JSON(:sessions))) AS f)
    )
ORDER BY
    changed_at,
    a.attendance_id
