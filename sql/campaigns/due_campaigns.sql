-- Events whose campaign is to be found or created, oldest first, with the one known so far and
-- with what was sent to create one, of whatever version, and has no outcome; and as it was wanted
-- before.
SELECT
    o.operation_id,
    (o.intent ->> 'event_id')::bigint AS event_id,
    o.intent,
    coalesce(
        (
            SELECT jsonb_agg(v.sent ORDER BY v.version DESC)
            FROM crm.operation AS v
            WHERE
                v.account_id = o.account_id
                AND v.natural_key = o.natural_key
                AND v.action = 'create'
                AND v.sent IS NOT NULL
                AND v.salesforce_id IS NULL
        ),
        '[]'
    ) AS sent,
    c.campaign_id,
    coalesce(
        (
            SELECT jsonb_agg(v.intent -> 'campaign')
            FROM crm.operation AS v
            WHERE
                v.account_id = o.account_id
                AND v.natural_key = o.natural_key
                AND v.version < o.version
                -- Of one without outcome it may have been made so.
                AND (v.state = 'done' OR v.sent IS NOT NULL)
        ),
        '[]'
    ) AS former
FROM crm.operation AS o
LEFT JOIN crm.event_campaign AS c
    ON o.account_id = c.account_id AND (o.intent ->> 'event_id')::bigint = c.event_id
WHERE
    o.account_id = :account_id
    AND o.kind = 'campaign'
    AND o.state = 'pending'
    AND o.operation_id > :after
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT f.state
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
