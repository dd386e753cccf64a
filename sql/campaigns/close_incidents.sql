-- Of campaigns that could not be linked none is left.
UPDATE crm.incident AS i
SET closed_at = now()
WHERE
    i.account_id = :account_id
    AND i.subject = 'Campaign'
    AND i.closed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM crm.operation AS o
        WHERE
            o.account_id = i.account_id
            AND o.kind = 'campaign'
            AND o.state = 'failed'
            AND o.error_code = i.code
    )
