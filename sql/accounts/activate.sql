UPDATE crm.account
SET enabled = true, activated_at = now(), updated_at = now()
WHERE account_id = :account_id AND activated_at IS NULL
RETURNING account_id
