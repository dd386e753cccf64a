-- The attendances of a client of which anything was shipped after :since: the attendance, its
-- person, its session or event, a poll question or answer, a chat message or a reply, a question, a
-- survey, a click. Oldest shipping first.
--
-- Parameters and contract as in registrations.sql. `polls` is a JSON array, oldest first, of
-- {"question", "answer"}: the last 10. `chats` of {"message", "replies": [text, …]}: the last 5.
-- `questions_answered` counts all of the attendee's poll answers. `parts` are here the poll questions
-- and answers, the chat messages, the replies and the interactions, too.
-- NULL in attendance_id, event_session_id, attended_at: that row is rejected, with this reason; so is
-- a time that Salesforce has not (infinity, years before 1700 or after 4000). NULL in email: "no
-- email". NULL in person_id: the address alone says who it is, and no change of it is followed.
-- NULL in changed_at, or a time to come: as if the row had changed when it is read. NULL in
-- event_id: no campaign has this row. Of these columns nothing is needed, and without one nothing
-- changes: session_starts_at (a visit that is over by then is no attendance); session_ends_at; kind ('on_demand': a view of the recording); role;
-- minutes_attended (0: no attendance; of several rows of a person and session each minute counts once);
-- questions, surveys, resources, links: JSON arrays, oldest first, of {"label", "value", "url"}, with
-- their numbers; rating; certificate_at; joined_as (the address with which somebody joined, where it is
-- another than the registrant's, which is `email`: the account's `alias`).
WITH changed AS (
    SELECT a.attendance_id
    FROM warehouse.attendance AS a
    WHERE a.client_id = :client_id AND a.shipped_at > :since
    UNION
    SELECT a.attendance_id
    FROM warehouse.person AS p
    INNER JOIN warehouse.attendance AS a ON p.person_id = a.person_id
    WHERE p.client_id = :client_id AND p.shipped_at > :since
    UNION
    SELECT a.attendance_id
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.attendance AS a ON s.event_session_id = a.event_session_id
    WHERE s.client_id = :client_id AND s.shipped_at > :since
    UNION
    SELECT a.attendance_id
    FROM warehouse.event AS e
    INNER JOIN warehouse.event_session AS s ON e.event_id = s.event_id
    INNER JOIN warehouse.attendance AS a ON s.event_session_id = a.event_session_id
    WHERE e.client_id = :client_id AND e.shipped_at > :since
    UNION
    SELECT pa.attendance_id
    FROM warehouse.poll_question AS pq
    INNER JOIN warehouse.poll_answer AS pa ON pq.poll_question_id = pa.poll_question_id
    WHERE pq.client_id = :client_id AND pq.shipped_at > :since
    UNION
    SELECT pa.attendance_id
    FROM warehouse.poll_answer AS pa
    WHERE pa.client_id = :client_id AND pa.shipped_at > :since
    UNION
    SELECT m.attendance_id
    FROM warehouse.chat_message AS m
    WHERE m.client_id = :client_id AND m.shipped_at > :since
    UNION
    SELECT m.attendance_id
    FROM warehouse.chat_reply AS cr
    INNER JOIN warehouse.chat_message AS m ON cr.chat_message_id = m.chat_message_id
    WHERE cr.client_id = :client_id AND cr.shipped_at > :since
    UNION
    SELECT i.attendance_id
    FROM warehouse.interaction AS i
    WHERE i.client_id = :client_id AND i.shipped_at > :since
    UNION
    SELECT a.attendance_id
    FROM warehouse.attendance AS a
    WHERE a.client_id = :client_id AND a.event_session_id = any(CAST(:backfilled AS bigint []))
    UNION
    SELECT a.attendance_id
    FROM warehouse.attendance AS a
    WHERE a.client_id = :client_id AND a.attendance_id = any(CAST(:again AS bigint []))
),

done AS (
    SELECT
        i.attendance_id,
        max(i.shipped_at) AS shipped_at,
        sum(i.seconds) AS seconds,
        count(*) FILTER (WHERE i.kind = 'question') AS questions_asked,
        count(*) FILTER (WHERE i.kind = 'survey') AS surveys_answered,
        count(*) FILTER (WHERE i.kind = 'resource') AS resources_downloaded,
        count(*) FILTER (WHERE i.kind = 'link') AS links_clicked,
        json_agg(
            json_build_object('label', i.label, 'value', i.value, 'url', i.url)
            ORDER BY i.happened_at, i.interaction_id
        ) FILTER (WHERE i.kind = 'question') AS questions,
        json_agg(
            json_build_object('label', i.label, 'value', i.value, 'url', i.url)
            ORDER BY i.happened_at, i.interaction_id
        ) FILTER (WHERE i.kind = 'survey') AS surveys,
        json_agg(
            json_build_object('label', i.label, 'value', i.value, 'url', i.url)
            ORDER BY i.happened_at, i.interaction_id
        ) FILTER (WHERE i.kind = 'resource') AS resources,
        json_agg(
            json_build_object('label', i.label, 'value', i.value, 'url', i.url)
            ORDER BY i.happened_at, i.interaction_id
        ) FILTER (WHERE i.kind = 'link') AS links,
        max(i.value) FILTER (WHERE i.kind = 'rating' AND i.recency = 1) AS rating,
        max(i.happened_at) FILTER (WHERE i.kind = 'certificate') AS certificate_at
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
                WHEN isfinite(i.shipped_at)
                    THEN CAST(extract(EPOCH FROM i.shipped_at) AS numeric (38, 6))
                ELSE 0
            END AS seconds,
            row_number() OVER (
                PARTITION BY i.attendance_id, i.kind ORDER BY i."at" DESC, i.interaction_id DESC
            ) AS recency
        FROM changed AS c
        INNER JOIN warehouse.interaction AS i
            ON c.attendance_id = i.attendance_id AND i.client_id = :client_id
    ) AS i
    GROUP BY i.attendance_id
),

poll AS (
    SELECT
        latest.attendance_id,
        max(latest.shipped_at) AS shipped_at,
        sum(latest.seconds) AS seconds,
        count(*) AS questions_answered,
        json_agg(
            json_build_object('question', latest.question, 'answer', latest.answer)
            ORDER BY latest.answered_at, latest.poll_answer_id
        ) FILTER (WHERE latest.recency <= 10) AS polls
    FROM (
        SELECT
            pa.attendance_id,
            pa.poll_answer_id,
            pa.answer,
            pa.answered_at,
            pq.question,
            greatest(pa.shipped_at, pq.shipped_at) AS shipped_at,
            CASE
                WHEN isfinite(pa.shipped_at)
                    THEN CAST(extract(EPOCH FROM pa.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
            + CASE
                WHEN isfinite(pq.shipped_at)
                    THEN CAST(extract(EPOCH FROM pq.shipped_at) AS numeric (38, 6))
                ELSE 0
            END AS seconds,
            row_number() OVER (
                PARTITION BY pa.attendance_id ORDER BY pa.answered_at DESC, pa.poll_answer_id DESC
            ) AS recency
        FROM changed AS c
        INNER JOIN warehouse.poll_answer AS pa
            ON c.attendance_id = pa.attendance_id AND pa.client_id = :client_id
        INNER JOIN warehouse.poll_question AS pq ON pa.poll_question_id = pq.poll_question_id
    ) AS latest
    GROUP BY latest.attendance_id
),

answered AS (
    SELECT
        m.chat_message_id,
        max(cr.shipped_at) AS shipped_at,
        sum(
            CASE
                WHEN isfinite(cr.shipped_at)
                    THEN CAST(extract(EPOCH FROM cr.shipped_at) AS numeric (38, 6))
                ELSE 0
            END
        ) AS seconds,
        json_agg(cr.reply ORDER BY cr.replied_at, cr.chat_reply_id) AS replies
    FROM changed AS c
    INNER JOIN warehouse.chat_message AS m
        ON c.attendance_id = m.attendance_id AND m.client_id = :client_id
    INNER JOIN warehouse.chat_reply AS cr ON m.chat_message_id = cr.chat_message_id
    GROUP BY m.chat_message_id
),

chat AS (
    SELECT
        latest.attendance_id,
        max(latest.shipped_at) AS shipped_at,
        sum(latest.seconds) AS seconds,
        json_agg(
            json_build_object('message', latest.message, 'replies', CAST(latest.replies AS json))
            ORDER BY latest.sent_at, latest.chat_message_id
        ) FILTER (WHERE latest.recency <= 5) AS chats
    FROM (
        SELECT
            m.attendance_id,
            m.chat_message_id,
            m.message,
            m.sent_at,
            greatest(m.shipped_at, answered.shipped_at) AS shipped_at,
            coalesce(answered.replies, CAST('[]' AS json)) AS replies,
            coalesce(answered.seconds, 0)
            + CASE
                WHEN isfinite(m.shipped_at)
                    THEN CAST(extract(EPOCH FROM m.shipped_at) AS numeric (38, 6))
                ELSE 0
            END AS seconds,
            row_number() OVER (
                PARTITION BY m.attendance_id ORDER BY m.sent_at DESC, m.chat_message_id DESC
            ) AS recency
        FROM changed AS c
        INNER JOIN warehouse.chat_message AS m
            ON c.attendance_id = m.attendance_id AND m.client_id = :client_id
        LEFT JOIN answered ON m.chat_message_id = answered.chat_message_id
    ) AS latest
    GROUP BY latest.attendance_id
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
    coalesce(poll.questions_answered, 0) AS questions_answered,
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
    CAST(
        coalesce(poll.seconds, 0)
        + coalesce(chat.seconds, 0)
        + coalesce(done.seconds, 0)
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
    ) AS parts,
    greatest(
        a.shipped_at,
        p.shipped_at,
        s.shipped_at,
        e.shipped_at,
        poll.shipped_at,
        chat.shipped_at,
        done.shipped_at
    ) AS changed_at
FROM changed AS c
INNER JOIN warehouse.attendance AS a ON c.attendance_id = a.attendance_id
INNER JOIN warehouse.person AS p ON a.person_id = p.person_id
INNER JOIN warehouse.event_session AS s ON a.event_session_id = s.event_session_id
INNER JOIN warehouse.event AS e ON s.event_id = e.event_id
LEFT JOIN done ON c.attendance_id = done.attendance_id
LEFT JOIN poll ON c.attendance_id = poll.attendance_id
LEFT JOIN chat ON c.attendance_id = chat.attendance_id
WHERE
    a.client_id = :client_id
    AND (
        CAST(:sessions AS bigint []) IS NULL
        OR a.event_session_id = any(CAST(:sessions AS bigint []))
    )
ORDER BY changed_at, a.attendance_id
