INSERT INTO crm.campaign_mapping (account_id, fingerprint)
VALUES (:account_id, :fingerprint)
ON CONFLICT (account_id) DO UPDATE
SET fingerprint = excluded.fingerprint
