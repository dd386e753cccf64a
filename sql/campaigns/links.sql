SELECT campaign_key, campaign_id FROM crm.campaign_link WHERE account_id = :account_id
