INSERT INTO crm.campaign_link (account_id, campaign_key, campaign_id)
VALUES (:account_id, :campaign_key, :campaign_id)
ON CONFLICT (account_id, campaign_key) DO UPDATE
SET campaign_id = excluded.campaign_id, added_at = now()
