-- People with two memberships in one campaign, as far as the pipeline made or changed them.
SELECT
    a.account_id,
    count(twice.person_id) = 0 AS passed,
    count(twice.person_id) AS members_twice
FROM crm.account AS a
LEFT JOIN (
    SELECT m.account_id, m.campaign_id, m.person_id
    FROM crm.campaign_member AS m
    WHERE m.account_id = any(CAST(:account_ids AS text []))
    GROUP BY m.account_id, m.campaign_id, m.person_id
    HAVING count(DISTINCT m.member_id) > 1
) AS twice ON a.account_id = twice.account_id
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
