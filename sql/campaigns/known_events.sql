-- Events that have a campaign, or participants who are or would be members of one, of theirs or of a
-- session's.
SELECT c.campaign_key::bigint AS event_id
FROM crm.event_campaign AS c
WHERE c.account_id = :account_id AND c.campaign_key NOT LIKE '%:%'
UNION
SELECT (o.intent ->> 'event_id')::bigint
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.kind = 'member'
ORDER BY event_id
