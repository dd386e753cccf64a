-- The record that stood for these people is gone: match them again. Their own operations and
-- the latest one of each person are undecided; no attempt is counted.
WITH undecided AS (
    UPDATE crm.operation
    SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
    WHERE operation_id = any(CAST(:operation_ids AS bigint []))
    RETURNING operation_id, account_id, person_key
),

reopened AS (
    UPDATE crm.operation AS o
    SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
    FROM (SELECT DISTINCT u.account_id, u.person_key FROM undecided AS u) AS u
    WHERE
        o.account_id = u.account_id
        AND o.natural_key = 'person:' || u.person_key
        AND o.state = 'done'
        AND NOT EXISTS (
            SELECT FROM crm.operation AS newer
            WHERE
                newer.account_id = o.account_id
                AND newer.natural_key = o.natural_key
                AND newer.version > o.version
                AND newer.state <> 'superseded'
        )
)

DELETE FROM crm.identity AS i
USING undecided AS u
WHERE i.account_id = u.account_id AND i.person_key = u.person_key
