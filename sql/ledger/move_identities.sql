-- These people's records were converted or merged into others: those stand for them now, and
-- the operations that noticed are to be decided anew. A conversion copies the values, so what
-- was sent to the Lead is what the Contact has from us.
WITH undecided AS (
    UPDATE crm.operation AS o
    SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS m (
        operation_id bigint,
        sobject text,
        salesforce_id text,
        reason text
    )
    WHERE o.operation_id = m.operation_id
    RETURNING o.account_id, o.person_key, m.sobject, m.salesforce_id, m.reason
)

UPDATE crm.identity AS i
SET
    sobject = u.sobject,
    salesforce_id = u.salesforce_id,
    reason = u.reason,
    sent = CASE
        WHEN i.sobject = u.sobject THEN i.sent
        ELSE coalesce(
            (
                SELECT o.intent -> u.sobject
                FROM crm.operation AS o
                WHERE
                    o.account_id = u.account_id
                    AND o.natural_key = 'person:' || u.person_key
                    AND o.state = 'done'
                ORDER BY o.version DESC
                LIMIT 1
            ),
            '{}'
        )
    END,
    seen_at = now()
FROM (SELECT DISTINCT ON (account_id, person_key) * FROM undecided) AS u
WHERE i.account_id = u.account_id AND i.person_key = u.person_key
