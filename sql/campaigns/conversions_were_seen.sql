UPDATE crm.campaign_mapping
SET conversions_seen_at = now()
WHERE account_id = :account_id
