-- Known people of whom something is wanted otherwise than it was sent last, of what was not held to
-- the limits yet.
SELECT count(*)
FROM crm.operation AS o
INNER JOIN crm.identity AS i ON o.account_id = i.account_id AND o.person_key = i.person_key
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'pending'
    AND o.operation_id > :after
    AND NOT coalesce(i.sent @> (o.intent -> i.sobject), false)
