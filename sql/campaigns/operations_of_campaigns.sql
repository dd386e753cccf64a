-- The operations that linked these campaigns.
SELECT DISTINCT ON (o.natural_key) o.operation_id, c.campaign_id
FROM crm.event_campaign AS c
INNER JOIN crm.operation AS o
    ON c.account_id = o.account_id AND o.natural_key = 'campaign:' || c.campaign_key
WHERE c.account_id = :account_id AND c.campaign_id = any(CAST(:campaign_ids AS text []))
ORDER BY o.natural_key, o.version DESC
