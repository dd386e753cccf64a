-- The records that these operations found, made or changed stand for their people from now on.
-- What an update has still to bring there is not among the values that the org has from us.
INSERT INTO crm.identity AS i (
    account_id, person_key, sobject, salesforce_id, reason, sent, as_of
)
SELECT
    o.account_id,
    o.person_key,
    o.sobject,
    o.salesforce_id,
    o.reason,
    CASE
        WHEN o.state = 'done' THEN o.intent -> o.sobject
        ELSE (o.intent -> o.sobject)
            - ARRAY(SELECT jsonb_object_keys(coalesce(o.sent, o.intent -> o.sobject)))
    END,
    o.as_of
FROM crm.operation AS o
WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
ON CONFLICT (account_id, person_key) DO UPDATE
SET
    sobject = excluded.sobject,
    salesforce_id = excluded.salesforce_id,
    reason = excluded.reason,
    sent = CASE
        WHEN i.salesforce_id = excluded.salesforce_id THEN i.sent || excluded.sent
        ELSE excluded.sent
    END,
    as_of = greatest(i.as_of, excluded.as_of),
    seen_at = now()
