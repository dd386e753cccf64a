-- The hold of an account about which nobody has decided.
SELECT hold_id, account_id, held_at, after_operation, last_operation, exceeded
FROM crm.hold
WHERE account_id = :account_id AND decision IS NULL
