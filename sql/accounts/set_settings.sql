UPDATE crm.account
SET settings = cast(:settings AS jsonb), updated_at = now()
WHERE account_id = :account_id
