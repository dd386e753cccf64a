INSERT INTO crm.credential (account_id, ciphertext)
VALUES (:account_id, :ciphertext)
ON CONFLICT (account_id) DO UPDATE
SET
    ciphertext = excluded.ciphertext,
    refused_reason = NULL,
    refused_at = NULL,
    updated_at = now()
