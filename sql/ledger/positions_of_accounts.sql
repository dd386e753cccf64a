SELECT account_id, flow, source, watermark, seen_since, seen_rows, seen_seconds, read_by
FROM crm.source_position
WHERE account_id = any(CAST(:account_ids AS text []))
