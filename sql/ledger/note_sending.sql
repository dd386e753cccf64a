INSERT INTO crm.sending (account_id, cycle_id, sobject, action, operation_ids)
VALUES (:account_id, :cycle_id, :sobject, :action, CAST(:operation_ids AS bigint []))
