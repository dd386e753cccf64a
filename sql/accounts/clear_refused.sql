UPDATE crm.credential
SET refused_reason = NULL, refused_at = NULL
WHERE account_id = :account_id
