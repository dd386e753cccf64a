SELECT event_id, rows
FROM crm.campaign_backfill
WHERE account_id = :account_id AND done_at IS NULL
ORDER BY requested_at, event_id
