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
        sum(extract(EPOCH FROM i.shipped_at)) FILTER (WHERE isfinite(i.shipped_at)) AS seconds,
        count(*) FILTER (WHERE i.kind = 'question') AS questions_asked,
        count(*) FILTER (WHERE i.kind = 'survey') AS surveys_answered,
        count(*) FILTER (WHERE i.kind = 'resource') AS resources_downloaded,
        count(*) FILTER (WHERE i.kind = 'link') AS links_clicked,
        json_agg(said.it ORDER BY i.at, i.interaction_id)
        FILTER (WHERE i.kind = 'question') AS questions,
        json_agg(said.it ORDER BY i.at, i.interaction_id)
        FILTER (WHERE i.kind = 'survey') AS surveys,
        json_agg(said.it ORDER BY i.at, i.interaction_id)
        FILTER (WHERE i.kind = 'resource') AS resources,
        json_agg(said.it ORDER BY i.at, i.interaction_id)
        FILTER (WHERE i.kind = 'link') AS links,
        (
            array_agg(i.value ORDER BY i.at DESC, i.interaction_id DESC)
            FILTER (WHERE i.kind = 'rating')
        )[1] AS rating,
        max(i.at) FILTER (WHERE i.kind = 'certificate') AS certificate_at
    FROM changed AS c
    INNER JOIN warehouse.interaction AS i
        ON c.attendance_id = i.attendance_id AND i.client_id = :client_id
    CROSS JOIN LATERAL (
        SELECT json_build_object('label', i.label, 'value', i.value, 'url', i.url) AS it
    ) AS said
    GROUP BY i.attendance_id
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
    poll.questions_answered,
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
        coalesce(shipped.seconds, 0)
        + coalesce(poll.answered_seconds, 0)
        + coalesce(poll.asked_seconds, 0)
        + coalesce(chat.said_seconds, 0)
        + coalesce(chat.replied_seconds, 0)
        + coalesce(done.seconds, 0) AS bigint
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
CROSS JOIN LATERAL (
    SELECT
        sum(CAST(extract(EPOCH FROM v.shipped_at) AS numeric (38, 6)))
        FILTER (WHERE isfinite(v.shipped_at)) AS seconds
    FROM (
        VALUES (a.shipped_at), (p.shipped_at), (s.shipped_at), (e.shipped_at)
    ) AS v (shipped_at)
) AS shipped
CROSS JOIN LATERAL (
    SELECT
        max(latest.shipped_at) AS shipped_at,
        sum(extract(EPOCH FROM latest.answer_shipped_at))
        FILTER (WHERE isfinite(latest.answer_shipped_at)) AS answered_seconds,
        sum(extract(EPOCH FROM latest.question_shipped_at))
        FILTER (WHERE isfinite(latest.question_shipped_at)) AS asked_seconds,
        count(*) AS questions_answered,
        json_agg(
            json_build_object('question', latest.question, 'answer', latest.answer)
            ORDER BY latest.answered_at, latest.poll_answer_id
        ) FILTER (WHERE latest.recency <= 10) AS polls
    FROM (
        SELECT
            pa.poll_answer_id,
            pa.answer,
            pa.answered_at,
            greatest(pa.shipped_at, pq.shipped_at) AS shipped_at,
            pa.shipped_at AS answer_shipped_at,
            pq.shipped_at AS question_shipped_at,
            pq.question,
            row_number() OVER (ORDER BY pa.answered_at DESC, pa.poll_answer_id DESC) AS recency
        FROM warehouse.poll_answer AS pa
        INNER JOIN warehouse.poll_question AS pq ON pa.poll_question_id = pq.poll_question_id
        WHERE pa.attendance_id = a.attendance_id AND pa.client_id = a.client_id
    ) AS latest
) AS poll
CROSS JOIN LATERAL (
    SELECT
        greatest(max(latest.shipped_at), max(latest.replied_shipped_at)) AS shipped_at,
        sum(extract(EPOCH FROM latest.shipped_at))
        FILTER (WHERE isfinite(latest.shipped_at)) AS said_seconds,
        sum(latest.seconds) AS replied_seconds,
        json_agg(
            json_build_object('message', latest.message, 'replies', latest.replies)
            ORDER BY latest.sent_at, latest.chat_message_id
        ) FILTER (WHERE latest.recency <= 5) AS chats
    FROM (
        SELECT
            m.chat_message_id,
            m.message,
            m.sent_at,
            m.shipped_at,
            answered.replies,
            answered.shipped_at AS replied_shipped_at,
            answered.seconds,
            row_number() OVER (ORDER BY m.sent_at DESC, m.chat_message_id DESC) AS recency
        FROM warehouse.chat_message AS m
        CROSS JOIN LATERAL (
            SELECT
                max(cr.shipped_at) AS shipped_at,
                sum(extract(EPOCH FROM cr.shipped_at)) FILTER (WHERE isfinite(cr.shipped_at)) AS seconds,
                coalesce(
                    json_agg(cr.reply ORDER BY cr.replied_at, cr.chat_reply_id), '[]'
                ) AS replies
            FROM warehouse.chat_reply AS cr
            WHERE cr.chat_message_id = m.chat_message_id
        ) AS answered
        WHERE m.attendance_id = a.attendance_id AND m.client_id = a.client_id
    ) AS latest
) AS chat
WHERE
    a.client_id = :client_id
    AND (
        CAST(:sessions AS bigint []) IS NULL
        OR a.event_session_id = any(CAST(:sessions AS bigint []))
    )
ORDER BY changed_at, a.attendance_id
