-- Activities, memberships and campaigns that went without one of these fields, since the org hid it or
-- let nobody write it: where :really, what is wanted of each is its next version, and what was left out
-- counts as not written. Returns how many these are, by kind. Those that wait to be sent go with all of
-- their fields anyway.
WITH lacking AS (
    SELECT DISTINCT o.natural_key
    FROM crm.operation AS o
    INNER JOIN crm.field_change AS c ON o.operation_id = c.operation_id
    WHERE
        o.account_id = :account_id
        AND o.kind IN ('activity', 'member', 'campaign')
        AND o.state = 'done'
        AND c.field = any(CAST(:fields AS text []))
        AND c.new_value IS NULL
),

latest AS MATERIALIZED (
    SELECT
        newest.*,
        -- Where the fields are in what is wanted.
        CASE newest.kind WHEN 'member' THEN '{fields}' WHEN 'campaign' THEN '{campaign}' ELSE '{}' END
        ::text [] AS place
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
        AND CASE newest.kind
            WHEN 'member' THEN newest.intent -> 'fields'
            WHEN 'campaign' THEN newest.intent -> 'campaign'
            ELSE newest.intent
        END ?| CAST(:fields AS text [])
),

forgotten AS (
    UPDATE crm.operation AS o
    SET
        intent = CASE
            WHEN l.place = '{}' THEN o.intent - CAST(:fields AS text [])
            ELSE jsonb_set(o.intent, l.place, (o.intent #> l.place) - CAST(:fields AS text []))
        END
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

SELECT
    kind,
    count(*) AS number
FROM latest
GROUP BY kind
