-- Of members that are ours, the status that we gave last, or may have given: what says the same is our own
-- echo.
SELECT
    m.member_id,
    o.intent ->> 'Status' AS status
FROM crm.campaign_member AS m
INNER JOIN crm.operation AS o
    ON
        m.account_id = o.account_id
        AND o.natural_key = 'member:' || m.campaign_key || ':' || m.person_key
WHERE
    m.account_id = :account_id
    AND m.member_id = any(CAST(:members AS text []))
    AND o.intent ->> 'Status' IS NOT NULL
