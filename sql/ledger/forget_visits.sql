-- These rows are no visits any more.
DELETE FROM crm.visit
WHERE account_id = :account_id AND attendance_id = any(CAST(:attendance_ids AS bigint []))
