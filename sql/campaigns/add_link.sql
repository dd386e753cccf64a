INSERT INTO crm.campaign_link (account_id, event_id, campaign_id)
VALUES (:account_id, :event_id, :campaign_id)
ON CONFLICT (account_id, event_id) DO UPDATE
SET campaign_id = excluded.campaign_id, added_at = now()
