-- These operations' memberships are in the org, for the record that stands for each person now.
INSERT INTO crm.campaign_member (
    account_id, event_id, person_key, campaign_id, person_id, member_id
)
SELECT
    o.account_id, c.event_id, o.person_key, c.campaign_id, i.salesforce_id, o.salesforce_id
FROM crm.operation AS o
INNER JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
INNER JOIN crm.event_campaign AS c
    ON o.account_id = c.account_id AND (o.intent ->> 'event_id')::bigint = c.event_id
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.kind = 'member'
    AND o.salesforce_id IS NOT NULL
ON CONFLICT (account_id, event_id, person_key) DO UPDATE
SET
    campaign_id = excluded.campaign_id,
    person_id = excluded.person_id,
    member_id = excluded.member_id,
    seen_at = now()
