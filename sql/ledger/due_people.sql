-- People of whom it is not decided yet which record gets what, oldest first, with the record
-- that is known to stand for each.
SELECT
    o.operation_id,
    o.natural_key,
    o.person_key,
    o.as_of,
    o.intent,
    o.sent_at,
    i.sobject,
    i.salesforce_id,
    i.reason AS identity_reason,
    i.sent AS last_sent,
    i.as_of AS last_as_of
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'pending'
    AND o.action IS DISTINCT FROM 'update'
    AND o.operation_id > :after
    AND NOT EXISTS (
        SELECT FROM crm.operation AS earlier
        WHERE
            o.version > 1
            AND earlier.account_id = o.account_id
            AND earlier.natural_key = o.natural_key
            AND earlier.state = 'in_flight'
    )
ORDER BY o.operation_id
LIMIT :limit
