-- New activities that wait to be sent or for the outcome of that: what they are told by.
SELECT
    o.state = 'in_flight' AS in_flight,
    o.state = 'in_flight' AND starts_with(coalesce(o.reason, ''), 'adopted') AS is_adopted,
    coalesce(o.reason = 'sought in the org, not there', false) AS is_sought,
    o.intent ->> 'Subject' AS subject,
    o.intent ->> 'ActivityDateTime' AS happened_at
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'activity'
    AND o.state IN ('pending', 'failed', 'exhausted', 'in_flight')
    AND NOT o.gone
    AND NOT EXISTS (
        SELECT FROM crm.operation AS earlier
        WHERE
            earlier.account_id = o.account_id
            AND earlier.natural_key = o.natural_key
            AND earlier.version < o.version
            AND earlier.state IN ('done', 'in_flight')
    )
