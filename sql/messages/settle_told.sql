-- Messages that say what the platform was told last: another word was wanted in between, and never
-- went out.
UPDATE crm.operation AS o
SET state = 'done', reason = 'told before', finished_at = clock_timestamp()
WHERE
    o.account_id = :account_id
    AND o.kind = 'message'
    AND o.state = 'pending'
    AND o.version > 1
    AND o.intent = (
        SELECT told.intent
        FROM crm.operation AS told
        WHERE
            told.account_id = o.account_id
            AND told.natural_key = o.natural_key
            AND told.state = 'done'
        ORDER BY told.version DESC
        LIMIT 1
    )
