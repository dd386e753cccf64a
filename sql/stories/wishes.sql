-- What people in an org wish of the platform for some addresses.
SELECT campaign_id, member_id, noticed_at, told_at
FROM crm.campaign_wish
WHERE account_id = :account_id AND lower(email) = any(CAST(:addresses AS text []))
ORDER BY noticed_at
