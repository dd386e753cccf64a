UPDATE crm.account
SET
    client_id = :client_id,
    name = :name,
    login_url = :login_url,
    enabled = :enabled,
    settings = cast(:settings AS jsonb),
    updated_at = now()
WHERE account_id = :account_id
RETURNING account_id
