-- The record that stood for these people is gone: match them again. Their own operations and
-- the latest one of each person are undecided; no attempt is counted. A new activity whose answer is
-- still out is to be looked for where it was sent to, so that is noted.
WITH undecided AS (
    UPDATE crm.operation
    SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
    WHERE operation_id = any(CAST(:operation_ids AS bigint []))
    RETURNING operation_id, account_id, person_key
),

reopened AS (
    UPDATE crm.latest_version AS o
    SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
    FROM (SELECT DISTINCT u.account_id, u.person_key FROM undecided AS u) AS u
    WHERE
        o.account_id = u.account_id
        AND o.natural_key = 'person:' || u.person_key
        AND o.state = 'done'
),

under_way AS (
    UPDATE crm.operation AS o
    SET sent = coalesce(o.sent, o.intent) || jsonb_build_object('WhoId', i.salesforce_id)
    FROM (SELECT DISTINCT u.account_id, u.person_key FROM undecided AS u) AS u
    INNER JOIN crm.identity AS i ON u.account_id = i.account_id AND u.person_key = i.person_key
    WHERE
        o.account_id = u.account_id
        AND o.person_key = u.person_key
        AND o.kind = 'activity'
        AND o.action = 'create'
        AND o.state = 'in_flight'
        AND NOT coalesce(o.sent, '{}') ? 'WhoId'
)

DELETE FROM crm.identity AS i
USING undecided AS u
WHERE i.account_id = u.account_id AND i.person_key = u.person_key
