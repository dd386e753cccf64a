-- The oldest messages that are to be sent are written where the platform's own jobs take them, and are
-- done by that. One that stands there already is the same.
WITH due AS (
    SELECT o.operation_id
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.kind = 'message' AND o.state = 'pending'
    ORDER BY o.operation_id
    LIMIT :limit
),

told AS (
    UPDATE crm.operation AS o
    SET
        state = 'done',
        attempts_left = o.attempts_left - 1,
        sobject = 'message',
        action = 'create',
        salesforce_id = '',
        reason = 'told',
        sent_by = :cycle_id,
        sent_at = clock_timestamp(),
        error_code = NULL,
        error_message = NULL,
        next_attempt_at = NULL,
        finished_at = clock_timestamp()
    FROM due AS d
    WHERE o.operation_id = d.operation_id
    RETURNING
        o.account_id, o.flow, o.version, o.as_of, o.finished_at, o.intent,
        o.intent ->> 'topic' AS topic, o.intent ->> 'about' AS about
),

written AS (
    INSERT INTO platform_inbox.message (
        message_id, account_id, client_id, topic, about, version, as_of, body
    )
    SELECT
        crm.message_id(t.account_id, t.topic, t.about, t.version),
        t.account_id,
        a.client_id,
        t.topic,
        t.about,
        t.version,
        t.as_of,
        t.intent -> 'body'
    FROM told AS t
    INNER JOIN crm.account AS a ON t.account_id = a.account_id
    ON CONFLICT (message_id) DO NOTHING
),

counted AS (
    INSERT INTO daily.delivery AS n (
        account_id, day, flow, kind, object, action, number, seconds, longest_seconds
    )
    SELECT
        w.account_id,
        daily.of(w.finished_at),
        w.flow,
        'message',
        'message',
        'create',
        count(*),
        sum(w.seconds),
        max(w.seconds)
    FROM (
        SELECT
            t.account_id,
            t.flow,
            t.finished_at,
            extract(EPOCH FROM t.finished_at - least(t.as_of, t.finished_at)) AS seconds
        FROM told AS t
    ) AS w
    GROUP BY w.account_id, daily.of(w.finished_at), w.flow
    ON CONFLICT (account_id, day, flow, kind, object, action) DO UPDATE
    SET
        number = n.number + excluded.number,
        seconds = n.seconds + excluded.seconds,
        longest_seconds = greatest(n.longest_seconds, excluded.longest_seconds)
)

SELECT t.topic, count(*) AS messages
FROM told AS t
GROUP BY t.topic
