-- Since when leads that are members may have been converted without our notice; no row where none
-- is a member, or where that was asked less than :pause_seconds ago.
SELECT m.conversions_seen_at
FROM crm.campaign_mapping AS m
WHERE
    m.account_id = :account_id
    AND m.conversions_seen_at < now() - make_interval(secs => :pause_seconds)
    AND EXISTS (
        SELECT FROM crm.campaign_member AS lead
        WHERE lead.account_id = m.account_id AND lead.person_id LIKE '00Q%'
    )
