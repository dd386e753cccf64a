-- Campaigns that were wanted with another status than their days say by now: days alone change it,
-- and no row is new.
SELECT c.natural_key
FROM (
    SELECT DISTINCT ON (o.natural_key)
        o.natural_key,
        o.intent -> 'campaign' AS campaign
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.kind = 'campaign'
    ORDER BY o.natural_key, o.version DESC
) AS c
WHERE
    c.campaign ->> 'Status' IS DISTINCT FROM CASE
        WHEN :today < c.campaign ->> 'StartDate' THEN 'Planned'
        WHEN :today > c.campaign ->> 'EndDate' THEN 'Completed'
        ELSE 'In Progress'
    END
ORDER BY c.natural_key
