-- Claims the accounts that no other planner has claimed; the cycle's end gives the claim back.
INSERT INTO crm.sync_state AS s (account_id, claimed_until)
SELECT a.account_id, now() + make_interval(mins => :minutes)
FROM crm.account AS a
WHERE a.enabled AND a.account_id = any(CAST(:account_ids AS text []))
ORDER BY a.account_id
ON CONFLICT (account_id) DO UPDATE
SET claimed_until = excluded.claimed_until
WHERE coalesce(s.claimed_until, '-infinity') <= now()
RETURNING s.account_id
