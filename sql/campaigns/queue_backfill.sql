-- These events are to be read again from their start.
INSERT INTO crm.campaign_backfill (account_id, event_id, rows)
SELECT :account_id, e.event_id, e.rows
FROM jsonb_to_recordset(CAST(:events AS jsonb)) AS e (event_id bigint, rows bigint)
ON CONFLICT (account_id, event_id) DO UPDATE
SET rows = excluded.rows, requested_at = now(), done_at = NULL
