-- Those of these people whom the platform was told of, as somebody put them into a campaign: the org
-- has a record of them.
SELECT p.person_key
FROM crm.person AS p
WHERE
    p.account_id = :account_id
    AND p.person_key = any(CAST(:person_keys AS bigint []))
    AND p.address IN (
        SELECT w.email
        FROM crm.campaign_wish AS w
        WHERE w.account_id = :account_id AND w.told_at IS NOT NULL
    )
