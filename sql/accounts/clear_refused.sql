UPDATE crm.credential
SET refused_reason = NULL, refused_at = NULL, updated_at = now()
WHERE account_id = :account_id
