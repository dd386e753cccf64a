SELECT campaign_id FROM crm.linked_campaign WHERE account_id = :account_id
