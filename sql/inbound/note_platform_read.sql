INSERT INTO crm.platform_read AS r (account_id, source, fingerprint)
VALUES (:account_id, :source, :fingerprint)
ON CONFLICT (account_id, source) DO UPDATE
SET fingerprint = excluded.fingerprint
WHERE r.fingerprint <> excluded.fingerprint
