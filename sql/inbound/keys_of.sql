SELECT key_id, created_at
FROM crm.listener_key
WHERE account_id = :account_id AND revoked_at IS NULL
ORDER BY created_at, key_id
