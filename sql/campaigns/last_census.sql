-- The last census of an account, with the newest operation of each person who is not a member there.
SELECT
    c.campaign_key,
    c.campaign_id,
    c.taken_at,
    c.expected,
    c.in_org,
    c.waiting,
    c.missing,
    c.changed
FROM crm.campaign_census AS c
WHERE c.account_id = :account_id
ORDER BY c.campaign_key
