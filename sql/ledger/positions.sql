SELECT source, watermark, seen_since, seen_rows, seen_seconds, read_by
FROM crm.source_position
WHERE account_id = :account_id AND flow = :flow
