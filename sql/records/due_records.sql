-- Records of a topic to be written (or, where :absent, to be gone), oldest first, with what of them
-- stands in the org.
SELECT
    o.operation_id,
    o.natural_key,
    o.as_of,
    o.intent,
    held.salesforce_id AS held_id,
    held.sobject AS held_sobject,
    held.last,
    held.ref_fields AS last_ref_fields,
    held.ref_keys AS last_ref_keys,
    held.ref_ids AS last_ref_ids
FROM crm.operation AS o
LEFT JOIN LATERAL (
    SELECT
        r.salesforce_id,
        r.sobject,
        r.last,
        r.ref_fields,
        r.ref_keys,
        r.ref_ids
    FROM crm.record AS r
    WHERE r.account_id = o.account_id AND r.natural_key = o.natural_key
    -- One by one: the planner would read all records that the account has, for each window.
    OFFSET 0
) AS held ON true
WHERE
    o.account_id = :account_id
    AND o.kind = 'record'
    AND o.state = 'pending'
    AND o.intent ->> 'topic' = :topic
    AND (o.intent ->> 'fields' IS NULL) = :absent
    AND o.operation_id > :after
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT f.state
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
