-- Memberships whose person is another record by now (a lead was converted or merged), or whose
-- event is another campaign (it was linked anew): they are looked at again, so that the status that
-- was reached stands there, too. They were marked when that happened; when they are noted anew, the
-- mark goes.
--
-- Those that moved are few: their operations are found by key, one after another (`LIMIT`), where
-- PostgreSQL, which takes them for many, would compare all with all.
WITH moved AS MATERIALIZED (
    SELECT m.account_id, 'member:' || m.event_id || ':' || m.person_key AS natural_key
    FROM crm.campaign_member AS m
    INNER JOIN crm.identity AS i ON m.account_id = i.account_id AND m.person_key = i.person_key
    INNER JOIN crm.event_campaign AS c
        ON m.account_id = c.account_id AND m.event_id = c.event_id
    WHERE
        m.account_id = :account_id
        AND m.moved
        AND (i.salesforce_id <> m.person_id OR c.campaign_id <> m.campaign_id)
)

UPDATE crm.operation AS o
SET
    state = 'pending',
    attempts_left = o.attempts,
    sobject = NULL,
    action = NULL,
    salesforce_id = NULL,
    sent = NULL
FROM moved
CROSS JOIN LATERAL (
    SELECT newest.operation_id
    FROM crm.operation AS newest
    WHERE
        newest.account_id = moved.account_id
        AND newest.natural_key = moved.natural_key
        AND newest.state <> 'superseded'
    ORDER BY newest.version DESC
    LIMIT 1
) AS latest
WHERE o.operation_id = latest.operation_id AND o.state = 'done'
