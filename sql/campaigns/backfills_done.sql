UPDATE crm.campaign_backfill
SET done_at = now()
WHERE account_id = :account_id AND event_id = any(CAST(:event_ids AS bigint [])) AND done_at IS NULL
