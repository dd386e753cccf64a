-- Updates of people that are sent later. The records stand for their people from now on; what an
-- update has still to bring there is not among the values that the org has from us.
WITH decided AS (
    UPDATE crm.operation AS o
    SET
        sobject = d.sobject,
        action = 'update',
        salesforce_id = d.salesforce_id,
        sent = d.sent,
        reason = d.reason
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS d (
            operation_id bigint,
            sobject text,
            salesforce_id text,
            sent jsonb,
            reason text
        )
    WHERE o.operation_id = d.operation_id
    RETURNING
        o.account_id, o.person_key, o.sobject, o.salesforce_id, o.reason, o.intent, o.sent, o.as_of
)

INSERT INTO crm.identity AS i (
    account_id, person_key, address, sobject, salesforce_id, reason, sent, as_of
)
SELECT
    d.account_id,
    d.person_key,
    p.address,
    d.sobject,
    d.salesforce_id,
    d.reason,
    (d.intent -> d.sobject) - ARRAY(SELECT jsonb_object_keys(d.sent)),
    d.as_of
FROM decided AS d
INNER JOIN crm.person AS p ON d.person_key = p.person_key
ON CONFLICT (account_id, person_key) DO UPDATE
SET
    address = excluded.address,
    sobject = excluded.sobject,
    salesforce_id = excluded.salesforce_id,
    reason = excluded.reason,
    sent = CASE
        WHEN i.salesforce_id = excluded.salesforce_id THEN i.sent || excluded.sent
        ELSE excluded.sent
    END,
    left_behind = CASE
        WHEN i.salesforce_id = excluded.salesforce_id AND i.left_behind IS NOT NULL
            THEN ARRAY(
                SELECT l.field FROM unnest(i.left_behind) AS l (field)
                WHERE NOT excluded.sent ? l.field
            )
    END,
    doubted = CASE WHEN i.salesforce_id = excluded.salesforce_id THEN i.doubted END,
    as_of = greatest(i.as_of, excluded.as_of),
    seen_at = now()
