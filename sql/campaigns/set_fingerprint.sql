INSERT INTO crm.campaign_mapping AS m (account_id, fingerprint)
VALUES (:account_id, :fingerprint)
ON CONFLICT (account_id) DO UPDATE
SET fingerprint = excluded.fingerprint
WHERE m.fingerprint <> excluded.fingerprint
