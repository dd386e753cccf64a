-- Members to be sent, oldest first: their person is in the org and their event's campaign is
-- linked. A membership that was sent for another record (a converted lead) says for which one.
SELECT
    o.operation_id,
    o.person_key,
    o.intent,
    c.campaign_id,
    c.is_new,
    c.missing_statuses,
    i.sobject AS person_sobject,
    i.salesforce_id AS person_id,
    m.person_id AS former_person_id
FROM crm.operation AS o
INNER JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
INNER JOIN crm.event_campaign AS c
    ON o.account_id = c.account_id AND (o.intent ->> 'event_id')::bigint = c.event_id
LEFT JOIN crm.campaign_member AS m
    ON
        c.account_id = m.account_id
        AND c.event_id = m.event_id
        AND o.person_key = m.person_key
WHERE
    o.account_id = :account_id
    AND o.kind = 'member'
    AND o.state = 'pending'
    AND o.operation_id > :after
    AND NOT EXISTS (
        SELECT FROM crm.operation AS link
        WHERE
            link.account_id = o.account_id
            AND link.natural_key = 'campaign:' || c.event_id
            AND link.state IN ('pending', 'in_flight', 'failed', 'exhausted')
    )
    AND NOT (
        o.version > 1
        AND EXISTS (
            SELECT FROM crm.operation AS f
            WHERE
                f.account_id = o.account_id
                AND f.natural_key = o.natural_key
                AND f.state = 'in_flight'
        )
    )
ORDER BY o.operation_id
LIMIT :limit
