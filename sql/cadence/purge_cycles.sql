DELETE FROM crm.cycle
WHERE cycle_id = any(CAST(:ids AS bigint []))
