-- Wants the records that a cycle wrote to be as they were before: an operation for each, unless one is
-- under way. What replaced values is to have them again; what the cycle made is to be gone, those that
-- belong to others first. What a plan has shown alone (:only), or all; of one field, or whole.
WITH sent AS (
    SELECT DISTINCT unnest(s.operation_ids) AS operation_id
    FROM crm.sending AS s
    WHERE s.account_id = :account_id AND s.cycle_id = :cycle_id AND s.action IN ('create', 'upsert')
),

made AS (
    SELECT DISTINCT ON (o.salesforce_id)
        o.salesforce_id, o.sobject, o.kind, o.flow, o.person_key
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.state = 'done'
        AND o.action IN ('create', 'upsert')
        AND o.salesforce_id <> ''
        AND CAST(:field AS text) IS NULL
        -- What people deleted a later cycle may have made anew by the same operation.
        AND o.sent_by = :cycle_id
        AND (o.kind = 'campaign' OR o.operation_id IN (SELECT s.operation_id FROM sent AS s))
    ORDER BY o.salesforce_id, o.operation_id
),

sent_to AS (
    SELECT DISTINCT o.salesforce_id, o.sent_by
    FROM made AS m
    INNER JOIN crm.operation AS o ON m.salesforce_id = o.salesforce_id
    WHERE
        o.account_id = :account_id
        -- What a later cycle wrote hides whether people had touched the record before.
        AND (o.sent_by = :cycle_id OR m.kind NOT IN ('person', 'record'))
),

left_as AS (
    SELECT t.salesforce_id, max(s.org_ended_at) AS left_at
    FROM sent_to AS t
    INNER JOIN crm.sending AS s ON s.account_id = :account_id AND t.sent_by = s.cycle_id
    GROUP BY t.salesforce_id
),

replaced AS (
    SELECT
        r.salesforce_id,
        min(r.sobject) AS sobject,
        min(o.flow) AS flow,
        min(o.person_key) AS person_key,
        f.key AS field,
        (array_agg(r.former -> f.key ORDER BY r.sent_at, r.operation_id))[1] AS former,
        (array_agg(f.value ORDER BY r.sent_at DESC, r.operation_id DESC))[1] AS written
    FROM crm.replaced_value AS r
    INNER JOIN crm.operation AS o ON r.operation_id = o.operation_id
    CROSS JOIN LATERAL jsonb_each(r.written) AS f
    WHERE
        r.account_id = :account_id
        AND r.cycle_id = :cycle_id
        AND r.sent_at IS NOT NULL
        AND (CAST(:field AS text) IS NULL OR lower(f.key) = lower(CAST(:field AS text)))
        AND r.salesforce_id NOT IN (SELECT m.salesforce_id FROM made AS m)
    GROUP BY r.salesforce_id, f.key
),

wanted AS (
    SELECT
        0 AS stage,
        r.salesforce_id,
        min(r.sobject) AS sobject,
        min(r.flow) AS flow,
        min(r.person_key) AS person_key,
        jsonb_object_agg(r.field, r.former) AS fields,
        jsonb_object_agg(r.field, r.written) AS written,
        CAST(NULL AS timestamptz) AS left_at
    FROM replaced AS r
    GROUP BY r.salesforce_id
    UNION ALL
    SELECT
        CASE m.kind
            WHEN 'member' THEN 1
            WHEN 'activity' THEN 1
            WHEN 'record' THEN 2
            WHEN 'person' THEN 3
            ELSE 4
        END,
        m.salesforce_id,
        m.sobject,
        m.flow,
        m.person_key,
        NULL,
        '{}',
        l.left_at
    FROM made AS m
    LEFT JOIN left_as AS l ON m.salesforce_id = l.salesforce_id
)

INSERT INTO crm.operation (
    account_id, flow, kind, natural_key, version, person_key, as_of, content_hash, intent, read_by
)
SELECT
    :account_id,
    w.flow,
    'undo',
    k.natural_key,
    coalesce(before.version, 0) + 1,
    w.person_key,
    now(),
    '',
    jsonb_build_object(
        'sobject', w.sobject,
        'id', w.salesforce_id,
        'fields', w.fields,
        'written', w.written,
        'left_at', w.left_at,
        'stage', w.stage,
        'because', CAST(:because AS text),
        'key', NULL,
        'refs', '{}'::jsonb
    ),
    NULL
FROM wanted AS w
CROSS JOIN LATERAL (
    SELECT 'undo:' || CAST(:cycle_id AS text) || ':' || w.salesforce_id AS natural_key
) AS k
LEFT JOIN LATERAL (
    SELECT o.version, o.state
    FROM crm.operation AS o
    WHERE o.account_id = :account_id AND o.natural_key = k.natural_key
    ORDER BY o.version DESC
    LIMIT 1
) AS before ON true
WHERE
    coalesce(before.state, 'done') NOT IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
    AND (CAST(:only AS text []) IS NULL OR w.salesforce_id = any(CAST(:only AS text [])))
ORDER BY w.stage, w.salesforce_id
