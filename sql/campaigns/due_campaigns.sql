-- Campaigns that are to be found or created, oldest first, with the one known so far and with what was
-- sent to create one, of whatever version, and has no outcome; as it was wanted before; and its parent.
SELECT
    o.operation_id,
    substr(o.natural_key, length('campaign:') + 1) AS campaign_key,
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
    ) AS former,
    p.campaign_id AS parent_id,
    c.parent_id AS former_parent_id
FROM crm.operation AS o
LEFT JOIN crm.event_campaign AS c
    ON
        o.account_id = c.account_id
        AND o.natural_key = 'campaign:' || c.campaign_key
        -- One that we took back may be made anew.
        AND NOT EXISTS (
            SELECT FROM crm.operation AS undo
            WHERE
                undo.account_id = c.account_id
                AND undo.kind = 'undo'
                AND undo.state = 'done'
                AND undo.action = 'delete'
                AND undo.salesforce_id = c.campaign_id
        )
-- One whose parent cannot be had is made without.
LEFT JOIN crm.event_campaign AS p
    ON
        o.account_id = p.account_id
        AND o.intent ->> 'parent' = p.campaign_key
        AND NOT EXISTS (
            SELECT FROM crm.operation AS parent
            WHERE
                parent.account_id = p.account_id
                AND parent.natural_key = 'campaign:' || p.campaign_key
                AND parent.state IN ('failed', 'exhausted')
        )
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
    -- Not before what has become of its parent is known.
    AND NOT (
        o.intent ->> 'parent' IS NOT NULL
        AND EXISTS (
            SELECT FROM crm.operation AS parent
            WHERE
                parent.account_id = o.account_id
                AND parent.natural_key = 'campaign:' || (o.intent ->> 'parent')
                AND parent.state IN ('pending', 'held', 'in_flight')
        )
    )
ORDER BY o.operation_id
LIMIT :limit
