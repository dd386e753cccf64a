-- Memberships that were taken back are none any more: that their person or campaign is another record
-- later is no reason to send them again.
DELETE FROM crm.campaign_member AS m
USING crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.sobject = 'CampaignMember'
    AND o.action = 'delete'
    AND m.account_id = o.account_id
    AND m.person_key = o.person_key
    AND m.member_id = o.salesforce_id
