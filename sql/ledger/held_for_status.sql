-- The registrations that are held for one of these status words, by their ids in the source.
SELECT CAST(split_part(o.natural_key, ':', 2) AS bigint) AS id
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.state = 'rejected'
    AND o.memory ? 'status'
    AND o.memory ->> 'status' = any(CAST(:statuses AS text []))
    AND o.natural_key ~ '^registration:[0-9]+$'
