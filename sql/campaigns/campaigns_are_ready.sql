-- Their statuses are there, and members are about to be sent.
UPDATE crm.event_campaign
SET missing_statuses = '[]', is_new = false
WHERE account_id = :account_id AND campaign_id = any(CAST(:campaign_ids AS text []))
