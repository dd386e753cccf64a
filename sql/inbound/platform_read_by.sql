SELECT fingerprint FROM crm.platform_read WHERE account_id = :account_id AND source = :source
