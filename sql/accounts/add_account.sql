INSERT INTO crm.account (account_id, client_id, name, login_url, enabled, settings)
VALUES (:account_id, :client_id, :name, :login_url, :enabled, cast(:settings AS jsonb))
ON CONFLICT (account_id) DO NOTHING
RETURNING account_id
