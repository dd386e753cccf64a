-- Causes by which nothing is held up any more.
UPDATE crm.incident AS i
SET closed_at = now()
WHERE
    i.account_id = :account_id
    AND i.closed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM crm.operation AS o
        WHERE
            o.account_id = i.account_id
            -- Those that wait for their turn again keep why they failed.
            AND o.state IN ('failed', 'pending')
            AND o.sobject = i.subject
            AND o.error_code = i.code
    )
