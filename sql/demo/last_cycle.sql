SELECT coalesce(max(cycle_id), 0) FROM crm.cycle
