-- These operations' memberships are in the org, for the record that stands for each person now.
INSERT INTO crm.campaign_member AS m (
    account_id, campaign_key, person_key, campaign_id, person_id, member_id, created
)
SELECT
    o.account_id,
    c.campaign_key,
    o.person_key,
    c.campaign_id,
    i.salesforce_id,
    o.salesforce_id,
    coalesce(o.action = 'create' OR o.reason = :found_after_lost_answer, false)
    OR EXISTS (
        SELECT FROM crm.campaign_member AS other
        WHERE
            other.account_id = o.account_id
            AND other.campaign_id = c.campaign_id
            AND other.person_id = i.salesforce_id
            AND other.member_id = o.salesforce_id
            AND other.created
    )
FROM crm.operation AS o
CROSS JOIN LATERAL (
    SELECT known.salesforce_id
    FROM crm.identity AS known
    WHERE known.account_id = o.account_id AND known.person_key = o.person_key
    OFFSET 0
) AS i
CROSS JOIN LATERAL (
    SELECT e.campaign_key, e.campaign_id
    FROM crm.event_campaign AS e
    WHERE
        e.account_id = o.account_id
        AND e.campaign_key = crm.campaign_key(o.intent)
    OFFSET 0
) AS c
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.kind = 'member'
    AND o.salesforce_id IS NOT NULL
    AND NOT o.gone
ON CONFLICT (account_id, campaign_key, person_key) DO UPDATE
SET
    campaign_id = excluded.campaign_id,
    person_id = excluded.person_id,
    member_id = excluded.member_id,
    created = excluded.created OR (m.created AND m.campaign_id = excluded.campaign_id),
    moved = false,
    seen_at = now()
