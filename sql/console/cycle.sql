-- One cycle of an account, as long as it is kept.
SELECT run_id, state, reason, notes, started_at, finished_at, counts
FROM crm.cycle
WHERE account_id = :account_id AND cycle_id = :cycle_id
