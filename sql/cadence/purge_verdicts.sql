DELETE FROM asset_check_executions
WHERE id = any(CAST(:ids AS bigint []))
