-- The last holds of an account, the newest first.
SELECT hold_id, held_at, exceeded, decision, decided_at, decided_by, why
FROM crm.hold
WHERE account_id = :account_id
ORDER BY hold_id DESC
LIMIT :limit
