-- Records of a topic to be written (or, where :absent, to be gone), oldest first: those of which
-- every reference is held, with what of them stands in the org.
SELECT
    o.operation_id,
    o.natural_key,
    o.as_of,
    o.intent,
    held.sobject AS held_sobject,
    held.salesforce_id AS held_id,
    held.last,
    held.ref_fields AS last_ref_fields,
    held.ref_ids AS last_ref_ids,
    refs.fields AS ref_fields,
    refs.keys AS ref_keys,
    refs.ids AS ref_ids
FROM crm.operation AS o
LEFT JOIN crm.record AS held
    ON o.account_id = held.account_id AND o.natural_key = held.natural_key
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(w.field ORDER BY w.field), '{}') AS fields,
        coalesce(array_agg(w.key ORDER BY w.field), '{}') AS keys,
        coalesce(array_agg(w.id ORDER BY w.field), '{}') AS ids,
        count(*) FILTER (WHERE w.id IS NULL) AS missing
    FROM (
        SELECT
            ref.key AS field,
            ref.value AS key,
            CASE
                WHEN ref.value LIKE 'id:%' THEN substr(ref.value, 4)
                WHEN ref.value LIKE 'person:%' THEN (
                    SELECT i.salesforce_id
                    FROM crm.identity AS i
                    WHERE
                        i.account_id = o.account_id
                        AND i.person_key = CAST(substr(ref.value, 8) AS bigint)
                )
                ELSE (
                    SELECT r.salesforce_id
                    FROM crm.record AS r
                    WHERE r.account_id = o.account_id AND r.natural_key = ref.value
                )
            END AS id
        FROM jsonb_each_text(o.intent -> 'refs') AS ref
    ) AS w
) AS refs
WHERE
    o.account_id = :account_id
    AND o.kind = 'record'
    AND o.state = 'pending'
    AND o.intent ->> 'topic' = :topic
    AND (o.intent ->> 'fields' IS NULL) = :absent
    AND o.operation_id > :after
    AND (:absent OR refs.missing = 0)
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
