UPDATE crm.listener_key
SET revoked_at = now()
WHERE account_id = :account_id AND key_id = :key_id AND revoked_at IS NULL
