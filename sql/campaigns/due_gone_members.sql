-- Memberships that are to be gone, oldest first. Ours is one that the pipeline made (or asked for,
-- without an answer), unless it is another person's or event's, too.
SELECT
    o.operation_id,
    o.reason,
    at.campaign_id,
    at.person_id,
    m.person_id AS former_person_id,
    (
        coalesce(m.created, false)
        OR (
            m.person_id IS NULL
            AND EXISTS (
                SELECT FROM crm.operation AS asked
                WHERE
                    asked.account_id = o.account_id
                    AND asked.natural_key = o.natural_key
                    AND asked.version < o.version
                    AND asked.action = 'create'
                    AND asked.sent_at IS NOT NULL
            )
        )
    )
    AND NOT EXISTS (
        SELECT FROM crm.campaign_member AS other
        WHERE
            other.account_id = o.account_id
            AND other.campaign_id = at.campaign_id
            AND other.person_id = at.person_id
            AND 'member:' || other.campaign_key || ':' || other.person_key <> o.natural_key
    ) AS is_ours
FROM crm.operation AS o
LEFT JOIN LATERAL (
    SELECT noted.campaign_id, noted.person_id, noted.created
    FROM crm.campaign_member AS noted
    WHERE
        noted.account_id = o.account_id
        AND noted.campaign_key = crm.campaign_key(o.intent)
        AND noted.person_key = o.person_key
    OFFSET 0
) AS m ON true
LEFT JOIN crm.event_campaign AS c
    ON o.account_id = c.account_id AND crm.campaign_key(o.intent) = c.campaign_key
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
CROSS JOIN LATERAL (
    SELECT
        coalesce(m.campaign_id, c.campaign_id) AS campaign_id,
        coalesce(i.salesforce_id, m.person_id) AS person_id
) AS at
WHERE
    o.account_id = :account_id
    AND o.kind = 'member'
    AND o.state = 'pending'
    AND o.gone
    AND o.operation_id > :after
    AND 'in_flight' NOT IN (
        SELECT f.state
        FROM crm.operation AS f
        WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
        OFFSET 0
    )
ORDER BY o.operation_id
LIMIT :limit
