INSERT INTO crm.source_position (
    account_id, flow, source, watermark, seen_since, seen_rows, seen_seconds, read_by
)
VALUES (
    :account_id, :flow, :source, :watermark, :seen_since, :seen_rows, :seen_seconds, :read_by
)
ON CONFLICT (account_id, flow, source) DO UPDATE
SET
    watermark = excluded.watermark,
    seen_since = excluded.seen_since,
    seen_rows = excluded.seen_rows,
    seen_seconds = excluded.seen_seconds,
    read_by = excluded.read_by
