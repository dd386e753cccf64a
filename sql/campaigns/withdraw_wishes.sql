-- Members who are not wanted any more are not told of.
DELETE FROM crm.campaign_wish
WHERE
    account_id = :account_id
    AND told_at IS NULL
    AND member_id = any(CAST(:members AS text []))
