-- People with two memberships in one campaign, as far as the pipeline made or changed them. They
-- were marked when the second one was noted; what was mended since does not count.
SELECT
    a.account_id,
    count(twice.person_id) = 0 AS passed,
    count(twice.person_id) AS members_twice
FROM crm.account AS a
LEFT JOIN LATERAL (
    SELECT DISTINCT m.campaign_id, m.person_id
    FROM crm.campaign_member AS m
    WHERE
        m.account_id = a.account_id
        AND m.twice
        AND EXISTS (
            SELECT FROM crm.campaign_member AS other
            WHERE
                other.account_id = m.account_id
                AND other.campaign_id = m.campaign_id
                AND other.person_id = m.person_id
                AND other.member_id <> m.member_id
        )
) AS twice ON true
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
