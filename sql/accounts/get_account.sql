SELECT
    account_id,
    client_id,
    name,
    login_url,
    enabled,
    settings,
    activated_at IS NULL AS draft
FROM crm.account
WHERE account_id = :account_id
