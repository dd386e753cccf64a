-- Linked campaigns whose members were not read yet for these statuses, oldest link first.
SELECT c.campaign_id
FROM crm.linked_campaign AS c
LEFT JOIN crm.campaign_asked AS a
    ON c.account_id = a.account_id AND c.campaign_id = a.campaign_id AND a.wanted = :wanted
WHERE
    c.account_id = :account_id
    AND a.campaign_id IS NULL
    -- Whoever is put into the campaign of a series says of no event.
    AND c.campaign_key NOT LIKE 'series:%'
ORDER BY c.since, c.campaign_id
LIMIT :limit
