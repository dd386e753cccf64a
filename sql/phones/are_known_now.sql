-- All numbers of an account's org are known, as of the transaction's time.
INSERT INTO crm.org_phones_kept (account_id, region, kept_at)
VALUES (:account_id, :region, now())
ON CONFLICT (account_id) DO UPDATE
SET region = excluded.region, kept_at = excluded.kept_at
