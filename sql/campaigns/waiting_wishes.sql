SELECT
    member_id,
    event_id,
    event_session_id,
    campaign_id,
    person_id,
    email,
    first_name,
    last_name,
    noticed_at
FROM crm.campaign_wish
WHERE account_id = :account_id AND told_at IS NULL
ORDER BY noticed_at, member_id
LIMIT :limit
