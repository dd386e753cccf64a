-- These leads were converted: their contacts stand for the people now, and have of us what the leads
-- had, but for custom fields perhaps: so the people are decided anew. Of whom nothing was ever sent,
-- it shows when something is.
WITH converted AS (
    UPDATE crm.identity AS i
    SET
        sobject = 'Contact',
        salesforce_id = c.contact_id,
        reason = 'converted from ' || c.lead_id,
        sent = said.sent - ARRAY(SELECT jsonb_object_keys(i.doubted)),
        left_behind = crm.custom_fields(said.sent),
        seen_at = now()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c (lead_id text, contact_id text)
    CROSS JOIN LATERAL (
        SELECT known.person_key
        FROM crm.identity AS known
        WHERE known.account_id = :account_id AND known.salesforce_id = c.lead_id
        OFFSET 0
    ) AS k
    CROSS JOIN LATERAL (
        SELECT o.intent -> 'Contact' AS sent
        FROM crm.operation AS o
        WHERE
            o.account_id = :account_id
            AND o.natural_key = 'person:' || k.person_key
            AND o.state = 'done'
        ORDER BY o.version DESC
        LIMIT 1
    ) AS said
    WHERE i.account_id = :account_id AND i.person_key = k.person_key
    RETURNING i.person_key, i.left_behind
)

UPDATE crm.latest_version AS o
SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
FROM converted AS c
WHERE
    c.left_behind IS NOT NULL
    AND o.account_id = :account_id
    AND o.natural_key = 'person:' || c.person_key
    AND o.state = 'done'
