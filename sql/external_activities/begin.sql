INSERT INTO crm.external_activity_account (account_id)
VALUES (:account_id)
ON CONFLICT (account_id) DO NOTHING
