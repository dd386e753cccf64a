UPDATE crm.campaign_wish
SET told_at = now()
WHERE account_id = :account_id AND member_id = any(CAST(:members AS text []))
