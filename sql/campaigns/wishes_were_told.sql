UPDATE crm.campaign_wish AS w
SET told_at = now()
FROM unnest(CAST(:members AS text []), CAST(:campaign_keys AS text [])) AS told (member_id, campaign_key)
WHERE
    w.account_id = :account_id
    AND w.member_id = told.member_id
    AND w.campaign_key = told.campaign_key
