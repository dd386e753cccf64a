-- Members whose stage Account Engagement was not told, those that were sent first first; and what their
-- campaign is called.
SELECT
    o.natural_key,
    o.intent ->> 'stage' AS stage,
    p.address,
    campaign.name
FROM crm.external_activity_account AS a
INNER JOIN crm.operation AS o
    ON
        a.account_id = o.account_id
        AND o.kind = 'member'
        AND o.state = 'done'
        AND NOT o.gone
        AND o.finished_at >= a.since
        AND o.intent ->> 'stage' = any(CAST(:stages AS text []))
INNER JOIN crm.person AS p ON o.person_key = p.person_key
LEFT JOIN LATERAL (
    SELECT c.intent #>> '{campaign,Name}' AS name
    FROM crm.operation AS c
    WHERE
        c.account_id = o.account_id
        AND c.natural_key = 'campaign:' || crm.campaign_key(o.intent)
    ORDER BY c.version DESC
    LIMIT 1
) AS campaign ON true
WHERE
    a.account_id = :account_id
    AND p.address IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
    )
    AND NOT EXISTS (
        SELECT FROM crm.external_activity AS told
        WHERE
            told.account_id = o.account_id
            AND told.natural_key = o.natural_key
            AND told.stage = o.intent ->> 'stage'
    )
ORDER BY o.operation_id
