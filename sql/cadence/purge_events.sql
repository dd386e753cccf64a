DELETE FROM event_logs
WHERE id = any(CAST(:ids AS bigint []))
