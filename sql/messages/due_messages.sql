-- Messages to the source platform that are to be sent, oldest first. Of a thing only the newest
-- version is pending; a message may be sent twice without harm, so none is ever in flight.
SELECT
    o.operation_id,
    CAST(crm.message_id(o.account_id, t.topic, t.about, o.version) AS text) AS message_id,
    o.version,
    o.as_of,
    t.topic,
    t.about,
    CAST(o.intent -> 'body' AS text) AS body
FROM crm.operation AS o
CROSS JOIN LATERAL (SELECT o.intent ->> 'topic' AS topic, o.intent ->> 'about' AS about) AS t
WHERE
    o.account_id = :account_id
    AND o.kind = 'message'
    AND o.state = 'pending'
    AND o.operation_id > :after
ORDER BY o.operation_id
LIMIT :limit
