-- People who are in the org nowhere, as far as is known, and of whom nothing is to be sent any more:
-- what was about them is about others by now, or is rejected. They come as soon as something is.
WITH waiting AS MATERIALIZED (
    SELECT p.operation_id, p.account_id, p.person_key, p.natural_key, p.intent ? 'withdrawn' AS withdrawn
    FROM crm.operation AS p
    WHERE
        p.account_id = :account_id
        AND p.kind = 'person'
        AND p.state = 'pending'
        -- Of those who were read just now nothing is past yet, unless that is what was read.
        AND (p.read_by < :cycle_id OR p.intent ? 'withdrawn')
        AND (p.sent_at IS NULL OR p.error_code IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM crm.identity AS i
            WHERE i.account_id = p.account_id AND i.person_key = p.person_key
        )
),

about AS MATERIALIZED (
    SELECT DISTINCT
        o.person_key,
        -- A row without an activity is rejected and names no person, but where the account has none of
        -- such rows, and the person is sent all the same.
        o.state = 'superseded'
        OR (o.state = 'rejected' AND o.reason IS DISTINCT FROM :no_activity) AS is_past
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind <> 'person'
        AND o.person_key IN (SELECT w.person_key FROM waiting AS w)
    UNION
    SELECT w.person_key, true AS is_past
    FROM waiting AS w
    WHERE w.withdrawn
    UNION
    SELECT t.person_key, false AS is_past
    FROM crm.tracked_lead AS t
    WHERE
        t.account_id = :account_id
        AND t.person_key IN (SELECT w.person_key FROM waiting AS w)
        AND t.rejected_because IS NULL
)

UPDATE crm.operation AS p
SET
    state = 'left_out',
    reason_code = 'NOTHING_ABOUT_THEM',
    reason = 'nothing is to be sent of them any more',
    finished_at = clock_timestamp()
FROM waiting AS w
WHERE
    p.operation_id = w.operation_id
    AND w.person_key IN (SELECT a.person_key FROM about AS a WHERE a.is_past)
    AND w.person_key NOT IN (SELECT a.person_key FROM about AS a WHERE NOT a.is_past)
    AND w.natural_key NOT IN (
        SELECT ref.value
        FROM crm.operation AS r
        CROSS JOIN LATERAL jsonb_each_text(r.intent -> 'refs') AS ref
        WHERE
            r.account_id = :account_id
            AND r.kind = 'record'
            AND r.state IN ('pending', 'failed', 'in_flight', 'exhausted', 'left_out', 'done')
    )
