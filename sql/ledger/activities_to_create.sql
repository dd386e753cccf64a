-- New activities that wait to be sent or for the outcome of that: what they are told by.
SELECT
    o.state = 'in_flight' AS in_flight,
    o.intent ->> 'Subject' AS subject,
    o.intent ->> 'ActivityDateTime' AS happened_at
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'activity'
    AND o.state IN ('pending', 'failed', 'in_flight')
    AND NOT o.gone
