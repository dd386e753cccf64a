-- The plans of an account, the newest first, with what came of them.
SELECT plan_id, made_at, seen_by, as_planned, explained, unexplained
FROM crm.plan
WHERE account_id = :account_id
ORDER BY plan_id DESC
LIMIT :most
