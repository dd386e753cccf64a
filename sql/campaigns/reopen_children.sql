-- Campaigns whose parent is another than the one they were given are pending again; how many are, be it
-- since then or from before.
WITH reopened AS (
    UPDATE crm.latest_version AS o
    SET state = 'pending'
    FROM crm.event_campaign AS c, crm.event_campaign AS p
    WHERE
        o.account_id = :account_id
        AND o.kind = 'campaign'
        AND o.state = 'done'
        AND o.natural_key = 'campaign:' || c.campaign_key
        AND c.account_id = o.account_id
        AND p.account_id = o.account_id
        AND p.campaign_key = o.intent ->> 'parent'
        AND c.parent_id IS DISTINCT FROM p.campaign_id
        AND NOT EXISTS (
            SELECT FROM crm.operation AS parent
            WHERE
                parent.account_id = p.account_id
                AND parent.natural_key = 'campaign:' || p.campaign_key
                AND parent.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
        )
    RETURNING o.operation_id
)

SELECT
    (SELECT count(*) FROM reopened)
    + (
        SELECT count(*)
        FROM crm.operation AS o
        WHERE
            o.account_id = :account_id
            AND o.kind = 'campaign'
            AND o.state = 'pending'
            AND o.intent ->> 'parent' IS NOT NULL
    ) AS waiting
