UPDATE crm.campaign_wish
SET seen_at = now()
WHERE
    account_id = :account_id
    AND told_at IS NULL
    AND member_id = any(CAST(:members AS text []))
