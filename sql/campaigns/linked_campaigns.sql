SELECT campaign_id FROM crm.event_campaign WHERE account_id = :account_id
