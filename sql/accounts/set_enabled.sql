UPDATE crm.account
SET enabled = :enabled, updated_at = now()
WHERE account_id = :account_id
RETURNING account_id
