-- These operations' memberships are to be gone, and are no concern of ours any more.
DELETE FROM crm.campaign_member AS m
USING crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.kind = 'member'
    AND o.gone
    AND m.account_id = o.account_id
    AND m.campaign_key = crm.campaign_key(o.intent)
    AND m.person_key = o.person_key
