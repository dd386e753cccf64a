SELECT
    i.code,
    i.subject,
    (
        SELECT count(*)
        FROM crm.operation AS o
        WHERE
            o.account_id = i.account_id
            AND o.state = 'failed'
            AND o.sobject = i.subject
            AND o.error_code = i.code
    ) AS operations,
    i.message,
    (
        SELECT min(o.next_attempt_at)
        FROM crm.operation AS o
        WHERE
            o.account_id = i.account_id
            AND o.state = 'failed'
            AND o.sobject = i.subject
            AND o.error_code = i.code
    ) AS next_try
FROM crm.incident AS i
WHERE i.account_id = :account_id AND i.closed_at IS NULL
ORDER BY i.first_seen
