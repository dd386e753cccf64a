-- Records of a topic to be written (or, where :absent, to be gone), oldest first, with what of them
-- stands in the org: those of which every reference is held, or is among :along, which goes out
-- before them. The successor of an absorbed person is meant where that one is named.
SELECT
    o.operation_id,
    o.natural_key,
    o.as_of,
    o.intent,
    held.salesforce_id AS held_id,
    held.last,
    held.ref_fields AS last_ref_fields,
    held.ref_keys AS last_ref_keys,
    held.ref_ids AS last_ref_ids,
    refs.fields AS ref_fields,
    refs.keys AS ref_keys,
    refs.ids AS ref_ids,
    refs.sobjects AS ref_sobjects
FROM crm.operation AS o
LEFT JOIN crm.record AS held
    ON o.account_id = held.account_id AND o.natural_key = held.natural_key
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(ref.key ORDER BY ref.key), '{}') AS fields,
        coalesce(array_agg(ref.value ORDER BY ref.key), '{}') AS keys,
        coalesce(array_agg(found.salesforce_id ORDER BY ref.key), '{}') AS ids,
        coalesce(array_agg(found.sobject ORDER BY ref.key), '{}') AS sobjects,
        count(*) FILTER (
            WHERE
                found.salesforce_id IS NULL
                AND NOT ref.value = any(CAST(:along AS text []))
        ) AS missing
    FROM jsonb_each_text(o.intent -> 'refs') AS ref
    LEFT JOIN LATERAL (
        SELECT substr(ref.value, 4) AS salesforce_id, NULL AS sobject
        WHERE ref.value LIKE 'id:%'
        UNION ALL
        SELECT i.salesforce_id, i.sobject
        FROM crm.person AS p
        INNER JOIN crm.identity AS i
            ON
                i.account_id = o.account_id
                AND coalesce(p.successor, p.person_key) = i.person_key
        WHERE
            p.account_id = o.account_id
            AND p.person_key
            = CASE WHEN ref.value LIKE 'person:%' THEN CAST(substr(ref.value, 8) AS bigint) END
        UNION ALL
        SELECT r.salesforce_id, r.sobject
        FROM crm.record AS r
        WHERE
            r.account_id = o.account_id
            AND r.natural_key = ref.value
            AND ref.value NOT LIKE 'id:%'
            AND ref.value NOT LIKE 'person:%'
    ) AS found ON true
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
