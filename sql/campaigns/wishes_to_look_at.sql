-- The wishes that are told next, where the org was not seen for ten minutes to want them still.
SELECT DISTINCT w.member_id
FROM (
    SELECT
        member_id,
        seen_at
    FROM crm.campaign_wish
    WHERE account_id = :account_id AND told_at IS NULL
    ORDER BY noticed_at, member_id, campaign_key
    LIMIT :limit
) AS w
WHERE w.seen_at < now() - interval '10 minutes'
