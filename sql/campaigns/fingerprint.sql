SELECT fingerprint FROM crm.campaign_mapping WHERE account_id = :account_id
