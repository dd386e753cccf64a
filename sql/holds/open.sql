-- The hold of an account about which nobody has decided.
SELECT hold_id, held_at, exceeded
FROM crm.hold
WHERE account_id = :account_id AND decision IS NULL
