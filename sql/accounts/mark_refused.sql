UPDATE crm.credential
SET refused_reason = :reason, refused_at = now()
WHERE account_id = :account_id
