-- The wishes that are told next, of those that the org was seen to want within ten minutes; the others
-- wait until the org is read again.
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
WHERE
    account_id = :account_id
    AND told_at IS NULL
    AND seen_at >= now() - interval '10 minutes'
ORDER BY noticed_at, member_id, campaign_key
LIMIT :limit
