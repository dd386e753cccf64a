-- Memberships whose person is another record by now (a lead was converted or merged), or whose
-- event is another campaign (it was linked anew): they are looked at again, so that the status that
-- was reached stands there, too.
UPDATE crm.operation AS o
SET
    state = 'pending',
    attempts_left = 5,
    sobject = NULL,
    action = NULL,
    salesforce_id = NULL,
    sent = NULL
FROM crm.campaign_member AS m
INNER JOIN crm.identity AS i ON m.account_id = i.account_id AND m.person_key = i.person_key
INNER JOIN crm.event_campaign AS c ON m.account_id = c.account_id AND m.event_id = c.event_id
WHERE
    m.account_id = :account_id
    AND (i.salesforce_id <> m.person_id OR c.campaign_id <> m.campaign_id)
    AND o.account_id = m.account_id
    AND o.natural_key = 'member:' || m.event_id || ':' || m.person_key
    AND o.state = 'done'
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
            AND newer.state <> 'superseded'
    )
