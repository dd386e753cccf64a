-- The campaigns of these events are looked up again before anything is sent there.
UPDATE crm.operation AS o
SET state = 'pending'
FROM (
    SELECT DISTINCT ON (latest.natural_key) latest.operation_id
    FROM crm.event_campaign AS c
    INNER JOIN crm.operation AS latest
        ON
            c.account_id = latest.account_id
            AND latest.natural_key = 'campaign:' || c.campaign_key
            AND latest.state <> 'superseded'
    WHERE
        c.account_id = :account_id
        AND c.campaign_id = any(CAST(:campaign_ids AS text []))
    ORDER BY latest.natural_key, latest.version DESC
) AS link
WHERE o.operation_id = link.operation_id AND o.state = 'done'
