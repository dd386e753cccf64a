-- An account's last cycles, newest first.
SELECT cycle_id, run_id, state, reason, notes, started_at, finished_at, counts
FROM crm.cycle
WHERE account_id = :account_id
ORDER BY cycle_id DESC
LIMIT :limit
