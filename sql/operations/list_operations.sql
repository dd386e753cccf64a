-- Operations in some states, oldest first: of one account or of all, of one kind or of all, and by
-- the time of the last that happened to them. Those that are not settled are few among millions, and may
-- be the last ones: they are all found and then sorted, and not come upon in the order of numbers. With a
-- code there may be very many, which an index has in this order.
SELECT
    o.operation_id,
    o.account_id,
    o.person_key,
    CASE o.kind WHEN 'person' THEN coalesce('person:' || p.address, o.natural_key) ELSE o.natural_key END
        AS natural_key,
    o.kind,
    o.action,
    o.sobject,
    o.salesforce_id,
    o.state,
    o.attempts_left,
    coalesce(o.error_code, o.reason_code) AS error_code,
    o.error_message,
    CASE
        WHEN o.state = 'pending' AND h.hold_id IS NOT NULL THEN 'the account is held'
        ELSE o.reason
    END AS reason,
    o.next_attempt_at,
    greatest(o.created_at, o.sent_at, o.finished_at) AS happened_at
FROM (
    (
        SELECT w.operation_id
        FROM crm.operation AS w
        WHERE
            CAST(:error_code AS text) IS NULL
            AND w.state = any(CAST(:states AS text []))
            AND (CAST(:after AS bigint) IS NULL OR w.operation_id > :after)
            AND (CAST(:account_id AS text) IS NULL OR w.account_id = :account_id)
            AND (CAST(:kind AS text) IS NULL OR w.kind = :kind)
            AND (
                CAST(:since AS timestamptz) IS NULL
                OR greatest(w.created_at, w.sent_at, w.finished_at) >= :since
            )
            AND (
                CAST(:until AS timestamptz) IS NULL
                OR greatest(w.created_at, w.sent_at, w.finished_at) < :until
            )
        ORDER BY
            CASE
                WHEN
                    CAST(:states AS text [])
                    <@ ARRAY['pending', 'held', 'in_flight', 'failed', 'exhausted', 'left_out', 'dropped']
                    THEN w.operation_id + 0
            END,
            w.operation_id
        LIMIT :limit
    )
    UNION
    (
        SELECT w.operation_id
        FROM crm.operation AS w
        WHERE
            w.error_code = :error_code
            AND w.state = any(CAST(:states AS text []))
            AND (CAST(:after AS bigint) IS NULL OR w.operation_id > :after)
            AND (CAST(:account_id AS text) IS NULL OR w.account_id = :account_id)
            AND (CAST(:kind AS text) IS NULL OR w.kind = :kind)
            AND (
                CAST(:since AS timestamptz) IS NULL
                OR greatest(w.created_at, w.sent_at, w.finished_at) >= :since
            )
            AND (
                CAST(:until AS timestamptz) IS NULL
                OR greatest(w.created_at, w.sent_at, w.finished_at) < :until
            )
        ORDER BY w.operation_id
        LIMIT :limit
    )
    UNION
    (
        SELECT w.operation_id
        FROM crm.operation AS w
        WHERE
            w.reason_code = :error_code
            AND w.state = any(CAST(:states AS text []))
            AND (CAST(:after AS bigint) IS NULL OR w.operation_id > :after)
            AND (CAST(:account_id AS text) IS NULL OR w.account_id = :account_id)
            AND (CAST(:kind AS text) IS NULL OR w.kind = :kind)
            AND (
                CAST(:since AS timestamptz) IS NULL
                OR greatest(w.created_at, w.sent_at, w.finished_at) >= :since
            )
            AND (
                CAST(:until AS timestamptz) IS NULL
                OR greatest(w.created_at, w.sent_at, w.finished_at) < :until
            )
        ORDER BY w.operation_id
        LIMIT :limit
    )
    ORDER BY operation_id
    LIMIT :limit
) AS found
INNER JOIN crm.operation AS o ON found.operation_id = o.operation_id
LEFT JOIN crm.person AS p ON o.person_key = p.person_key
LEFT JOIN crm.hold AS h ON o.account_id = h.account_id AND h.decision IS NULL
ORDER BY o.operation_id
