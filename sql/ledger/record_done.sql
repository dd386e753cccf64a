-- Records what went through. The records of people stand for them from now on, with what was sent.
-- Returns the people of whose records something may have been left behind. What went through is
-- counted by day, and whether it came within the promise: a row that was read anew for settings waits
-- since these were changed.
WITH done AS (
    UPDATE crm.operation AS o
    SET
        state = 'done',
        attempts_left = o.attempts_left - d.attempts,
        sobject = d.sobject,
        action = d.action,
        salesforce_id = d.salesforce_id,
        sent = coalesce(d.sent, o.sent),
        reason = coalesce(d.reason, o.reason),
        sent_by = :cycle_id,
        sent_at = CASE WHEN d.attempts > 0 THEN clock_timestamp() ELSE o.sent_at END,
        error_code = NULL,
        error_message = NULL,
        next_attempt_at = NULL,
        finished_at = clock_timestamp()
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS d (
            operation_id bigint,
            sobject text,
            action text,
            salesforce_id text,
            sent jsonb,
            reason text,
            attempts smallint
        )
    WHERE o.operation_id = d.operation_id
    RETURNING
        o.account_id, o.flow, o.kind, o.person_key, o.sobject, o.action, o.salesforce_id, o.reason,
        o.intent, o.as_of, o.created_at, o.finished_at
),

timed AS (
    SELECT
        d.*,
        extract(EPOCH FROM d.finished_at - least(
            d.finished_at,
            greatest(
                d.as_of, a.activated_at, CASE WHEN d.created_at >= a.updated_at THEN a.updated_at END
            )
        )) AS seconds
    FROM done AS d
    LEFT JOIN crm.account AS a ON d.account_id = a.account_id
),

counted AS (
    INSERT INTO daily.delivery AS n (
        account_id, day, flow, kind, object, action, number, late, seconds, longest_seconds
    )
    SELECT
        t.account_id,
        daily.of(t.finished_at),
        t.flow,
        t.kind,
        t.sobject,
        t.action,
        count(*),
        CASE WHEN t.kind <> 'message' THEN count(*) FILTER (WHERE t.seconds > 60 * :promised_minutes) END,
        sum(t.seconds),
        max(t.seconds)
    FROM timed AS t
    GROUP BY t.account_id, daily.of(t.finished_at), t.flow, t.kind, t.sobject, t.action
    ON CONFLICT (account_id, day, flow, kind, object, action) DO UPDATE
    SET
        number = n.number + excluded.number,
        late = n.late + excluded.late,
        seconds = n.seconds + excluded.seconds,
        longest_seconds = greatest(n.longest_seconds, excluded.longest_seconds)
),

known AS (
    INSERT INTO crm.identity AS i (
        account_id, person_key, address, sobject, salesforce_id, reason, sent, as_of
    )
    SELECT
        d.account_id,
        d.person_key,
        p.address,
        d.sobject,
        d.salesforce_id,
        d.reason,
        d.intent -> d.sobject,
        d.as_of
    FROM done AS d
    INNER JOIN crm.person AS p ON d.person_key = p.person_key
    WHERE d.kind = 'person'
    ON CONFLICT (account_id, person_key) DO UPDATE
    SET
        address = excluded.address,
        sobject = excluded.sobject,
        salesforce_id = excluded.salesforce_id,
        reason = excluded.reason,
        sent = CASE
            WHEN i.salesforce_id = excluded.salesforce_id THEN i.sent || excluded.sent
            ELSE excluded.sent
        END,
        left_behind = CASE WHEN i.salesforce_id = excluded.salesforce_id THEN i.left_behind END,
        doubted = NULL,
        as_of = greatest(i.as_of, excluded.as_of),
        seen_at = now()
    RETURNING i.person_key, i.left_behind
)

SELECT person_key FROM known
WHERE left_behind IS NOT NULL
