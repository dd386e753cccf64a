SELECT CAST(r.request_id AS text) AS request_id, r.received_at, k.content
FROM crm.request_key AS k
INNER JOIN crm.request AS r ON k.request_id = r.request_id
WHERE k.account_id = :account_id AND k.key = :key
