INSERT INTO crm.attribution_said AS s (account_id, fingerprint)
VALUES (:account_id, :fingerprint)
ON CONFLICT (account_id) DO UPDATE
SET fingerprint = excluded.fingerprint
WHERE s.fingerprint <> excluded.fingerprint
