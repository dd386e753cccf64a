-- Marks the memberships just noted of a record that has another one in the campaign.
UPDATE crm.campaign_member AS m
SET twice = true
FROM crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.kind = 'member'
    AND m.account_id = o.account_id
    AND m.campaign_key = crm.campaign_key(o.intent)
    AND m.person_key = o.person_key
    AND NOT m.twice
    AND EXISTS (
        SELECT FROM crm.campaign_member AS other
        WHERE
            other.account_id = m.account_id
            AND other.campaign_id = m.campaign_id
            AND other.person_id = m.person_id
            AND other.member_id <> m.member_id
    )
