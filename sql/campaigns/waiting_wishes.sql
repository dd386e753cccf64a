SELECT
    member_id,
    campaign_key,
    campaign_id,
    person_id,
    email,
    first_name,
    last_name,
    noticed_at
FROM crm.campaign_wish
WHERE account_id = :account_id AND told_at IS NULL
ORDER BY noticed_at, member_id, campaign_key
LIMIT :limit
