-- Messages to the source platform that are to be sent, oldest first. Of a thing only the newest
-- version is pending; a message may be sent twice without harm, so none is ever in flight.
SELECT
    o.operation_id,
    o.version,
    o.as_of,
    o.intent ->> 'topic' AS topic,
    o.intent ->> 'about' AS about,
    CAST(o.intent -> 'body' AS text) AS body
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'message'
    AND o.state = 'pending'
    AND o.operation_id > :after
ORDER BY o.operation_id
LIMIT :limit
