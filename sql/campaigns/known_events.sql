-- Events that have a campaign, or participants who are or would be members of one.
SELECT c.event_id FROM crm.event_campaign AS c
WHERE c.account_id = :account_id
UNION
SELECT (o.intent ->> 'event_id')::bigint
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.kind = 'member'
ORDER BY event_id
