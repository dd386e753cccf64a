SELECT EXISTS (SELECT FROM crm.incident WHERE account_id = :account_id AND closed_at IS NULL)
