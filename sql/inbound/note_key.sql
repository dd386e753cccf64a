INSERT INTO crm.request_key (account_id, key, content, request_id)
VALUES (:account_id, :key, :content, CAST(:request_id AS uuid))
ON CONFLICT (account_id, key) DO NOTHING
