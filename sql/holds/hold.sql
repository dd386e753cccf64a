INSERT INTO crm.hold (account_id, cycle_id, after_operation, last_operation, exceeded)
VALUES (:account_id, :cycle_id, :after, :last_operation, CAST(:exceeded AS jsonb))
