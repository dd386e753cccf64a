-- Whether all members that were sent to the campaigns of each account were there when they were counted
-- last. Accounts without a census pass.
SELECT
    a.account_id,
    count(c.campaign_key) FILTER (WHERE c.missing <> '{}') = 0 AS passed,
    count(c.campaign_key) AS campaigns,
    coalesce(sum(c.expected), 0)::bigint AS members_expected,
    coalesce(sum(c.in_org), 0)::bigint AS members_in_org,
    coalesce(sum(cardinality(c.missing)), 0) AS missing,
    coalesce(sum(cardinality(c.changed)), 0) AS with_another_status,
    coalesce(sum(c.waiting), 0)::bigint AS waiting
FROM crm.account AS a
LEFT JOIN crm.campaign_census AS c ON a.account_id = c.account_id
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
