SELECT campaign_key FROM crm.event_campaign WHERE account_id = :account_id
