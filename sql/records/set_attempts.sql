-- Gives new operations the tries of their topic, where these are others than usual.
UPDATE crm.operation AS o
SET
    attempts = CAST(o.intent ->> 'attempts' AS smallint),
    attempts_left = CAST(o.intent ->> 'attempts' AS smallint)
WHERE
    o.account_id = :account_id
    AND o.read_by = :cycle_id
    AND o.kind = 'record'
    AND o.state = 'pending'
    AND o.sent_at IS NULL
    AND o.intent ? 'attempts'
