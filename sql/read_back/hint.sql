-- The account's org has changes, somebody says.
INSERT INTO crm.read_hint (account_id, hinted_at)
SELECT account_id, clock_timestamp()
FROM crm.account
WHERE account_id = :account_id
ON CONFLICT (account_id) DO UPDATE SET hinted_at = excluded.hinted_at
