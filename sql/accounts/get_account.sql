SELECT account_id, client_id, name, login_url, enabled, settings
FROM crm.account
WHERE account_id = :account_id
