UPDATE crm.erased
SET expires_at = NULL
WHERE account_id = :account_id AND digest = any(:digests) AND expires_at IS NOT NULL
