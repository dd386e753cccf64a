SELECT account_id, digest FROM crm.listener_key WHERE key_id = :key_id AND revoked_at IS NULL
