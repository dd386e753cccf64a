-- Causes that hold up operations of an account now, and when the first of these is tried again.
SELECT
    i.code,
    i.subject,
    held.operations,
    i.message,
    i.first_seen,
    held.next_try
FROM crm.incident AS i
CROSS JOIN LATERAL (
    SELECT
        count(*) AS operations,
        min(o.next_attempt_at) AS next_try
    FROM crm.operation AS o
    WHERE
        o.account_id = i.account_id
        AND o.state IN ('failed', 'pending')
        AND o.sobject = i.subject
        AND o.error_code = i.code
) AS held
WHERE i.account_id = :account_id AND i.closed_at IS NULL AND held.operations > 0
ORDER BY held.operations DESC, i.code
