-- Memberships whose person is another record by now (a lead was converted or merged), or whose
-- event is another campaign (it was linked anew): they are looked at again, so that the status that
-- was reached stands there, too. They were marked when that happened; when they are noted anew, the
-- mark goes.
--
-- Those that are marked are few: the others' tables are asked by key, one after another (`OFFSET 0`,
-- `LIMIT`), where PostgreSQL, which takes them for many, would compare all with all.
WITH marked AS MATERIALIZED (
    SELECT m.account_id, m.campaign_key, m.person_key, m.person_id, m.campaign_id
    FROM crm.campaign_member AS m
    WHERE m.account_id = :account_id AND m.moved
),

moved AS MATERIALIZED (
    SELECT m.account_id, 'member:' || m.campaign_key || ':' || m.person_key AS natural_key
    FROM marked AS m
    CROSS JOIN LATERAL (
        SELECT i.salesforce_id
        FROM crm.identity AS i
        WHERE i.account_id = m.account_id AND i.person_key = m.person_key
        OFFSET 0
    ) AS i
    CROSS JOIN LATERAL (
        SELECT c.campaign_id
        FROM crm.event_campaign AS c
        WHERE c.account_id = m.account_id AND c.campaign_key = m.campaign_key
        OFFSET 0
    ) AS c
    WHERE i.salesforce_id <> m.person_id OR c.campaign_id <> m.campaign_id
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
