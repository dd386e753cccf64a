-- These records stand in the org, with the values that were written: where :rows says none, those
-- that were wanted. One that stood there before, as far as its operations tell, may be another
-- record than the one that others refer to.
INSERT INTO crm.record AS r (
    account_id, natural_key, topic, sobject, salesforce_id, last, ref_fields, ref_keys, ref_ids,
    as_of, moved
)
SELECT
    o.account_id,
    o.natural_key,
    o.intent ->> 'topic',
    n.sobject,
    n.salesforce_id,
    coalesce(n.last, nullif(o.intent -> 'fields', 'null'), '{}'),
    n.ref_fields,
    n.ref_keys,
    n.ref_ids,
    o.as_of,
    o.version > 1 OR o.sent_at IS NOT NULL
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
    operation_id bigint,
    sobject text,
    salesforce_id text,
    last jsonb,
    ref_fields text [],
    ref_keys text [],
    ref_ids text []
)
INNER JOIN crm.operation AS o ON n.operation_id = o.operation_id
ON CONFLICT (account_id, natural_key) DO UPDATE
SET
    topic = excluded.topic,
    sobject = excluded.sobject,
    salesforce_id = excluded.salesforce_id,
    last = CASE
        WHEN r.salesforce_id = excluded.salesforce_id THEN r.last || excluded.last
        ELSE excluded.last
    END,
    ref_fields = excluded.ref_fields,
    ref_keys = excluded.ref_keys,
    ref_ids = excluded.ref_ids,
    as_of = excluded.as_of,
    moved = r.moved OR r.salesforce_id <> excluded.salesforce_id
