SELECT
    seq,
    CAST(request_id AS text) AS request_id,
    kind,
    door,
    name,
    address,
    body,
    received_at,
    attempts
FROM crm.request
WHERE
    account_id = :account_id
    AND state = 'pending'
    AND kind = any(:kinds)
    AND next_attempt_at <= now()
ORDER BY seq
LIMIT 10000
