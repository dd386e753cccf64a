UPDATE crm.source_count
SET members_read_at = now()
WHERE account_id = :account_id AND members_read_at IS NULL
