-- Activities that went without one of these fields, since the org hid it or let nobody write it: where
-- :really, what is wanted of each is its next version, and what was left out counts as not written.
-- Returns how many these are. Those that wait to be sent go with all of their fields anyway.
WITH lacking AS (
    SELECT DISTINCT o.natural_key
    FROM crm.operation AS o
    INNER JOIN crm.field_change AS c ON o.operation_id = c.operation_id
    WHERE
        o.account_id = :account_id
        AND o.kind = 'activity'
        AND o.state = 'done'
        AND c.field = any(CAST(:fields AS text []))
        AND c.new_value IS NULL
),

latest AS MATERIALIZED (
    SELECT newest.*
    FROM lacking AS l
    CROSS JOIN LATERAL (
        SELECT o.*
        FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = l.natural_key
        ORDER BY o.version DESC
        LIMIT 1
    ) AS newest
    WHERE
        newest.state = 'done'
        AND NOT newest.gone
        AND newest.intent ?| CAST(:fields AS text [])
),

forgotten AS (
    UPDATE crm.operation AS o
    SET intent = o.intent - CAST(:fields AS text [])
    FROM latest AS l
    WHERE :really AND o.operation_id = l.operation_id
),

wanted AS (
    INSERT INTO crm.operation (
        account_id, flow, kind, natural_key, version, person_key, as_of, content_hash, intent, memory
    )
    SELECT
        l.account_id,
        l.flow,
        l.kind,
        l.natural_key,
        l.version + 1,
        l.person_key,
        l.as_of,
        l.content_hash,
        l.intent,
        l.memory
    FROM latest AS l
    WHERE :really
)

SELECT count(*) FROM latest
