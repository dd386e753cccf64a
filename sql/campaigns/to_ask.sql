-- Linked campaigns whose members were not read yet for these statuses, oldest link first. One may be that of
-- several events or sessions, and be named by the short form of its Id.
SELECT max(c.campaign_id) AS campaign_id
FROM crm.linked_campaign AS c
WHERE
    c.account_id = :account_id
    -- Whoever is put into the campaign of a series says of no event.
    AND c.campaign_key NOT LIKE 'series:%'
    AND left(c.campaign_id, 15) NOT IN (
        SELECT left(a.campaign_id, 15)
        FROM crm.campaign_asked AS a
        WHERE a.account_id = :account_id AND a.wanted = :wanted
    )
GROUP BY left(c.campaign_id, 15)
ORDER BY min(c.since), campaign_id
LIMIT :limit
