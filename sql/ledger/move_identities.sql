-- These people's records were converted or merged into others: those stand for them now, and
-- the operations that noticed are to be decided anew. A conversion copies the values, so what
-- was sent to the Lead is what the Contact has from us, but for custom fields perhaps.
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
),

said AS (
    SELECT DISTINCT ON (u.account_id, u.person_key)
        u.*,
        (
            SELECT o.intent -> u.sobject
            FROM crm.operation AS o
            WHERE
                o.account_id = u.account_id
                AND o.natural_key = 'person:' || u.person_key
                AND o.state = 'done'
            ORDER BY o.version DESC
            LIMIT 1
        ) AS sent
    FROM undecided AS u
),

forgotten AS (
    -- Nothing was ever sent: matched again, the person is compared with what stands there.
    DELETE FROM crm.identity AS i
    USING said AS s
    WHERE
        i.account_id = s.account_id
        AND i.person_key = s.person_key
        AND i.sobject <> s.sobject
        AND s.sent IS NULL
)

UPDATE crm.identity AS i
SET
    sobject = s.sobject,
    salesforce_id = s.salesforce_id,
    reason = s.reason,
    sent = CASE
        WHEN i.sobject = s.sobject THEN i.sent
        ELSE s.sent - ARRAY(SELECT jsonb_object_keys(i.doubted))
    END,
    left_behind = CASE WHEN i.sobject = s.sobject THEN i.left_behind ELSE crm.custom_fields(s.sent) END,
    seen_at = now()
FROM said AS s
WHERE
    i.account_id = s.account_id
    AND i.person_key = s.person_key
    AND (i.sobject = s.sobject OR s.sent IS NOT NULL)
