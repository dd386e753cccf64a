INSERT INTO crm.account (
    account_id, client_id, name, login_url, enabled, settings, activated_at
)
VALUES (
    :account_id,
    :client_id,
    :name,
    :login_url,
    :enabled,
    cast(:settings AS jsonb),
    CASE WHEN :draft THEN NULL ELSE now() END
)
ON CONFLICT (account_id) DO NOTHING
RETURNING account_id
