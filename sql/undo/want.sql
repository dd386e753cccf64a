-- Wants the records that a cycle wrote to be as they were before: an operation for each, unless one waits
-- that says as much. What replaced values is to have them again; what the cycle made is to be gone, those
-- that belong to others first. What a plan has shown alone (:only), or all; of one field, or whole.
WITH sent AS (
    SELECT DISTINCT unnest(s.operation_ids) AS operation_id
    FROM crm.sending AS s
    WHERE s.account_id = :account_id AND s.cycle_id = :cycle_id AND s.action IN ('create', 'upsert')
),

made AS (
    SELECT DISTINCT ON (o.salesforce_id)
        o.salesforce_id, o.operation_id, o.sobject, o.kind, o.flow, o.person_key
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.state = 'done'
        AND o.action IN ('create', 'upsert')
        AND o.salesforce_id <> ''
        AND CAST(:field AS text) IS NULL
        -- What people deleted a later cycle may have made anew by the same operation (see left.sql).
        AND o.sent_by = :cycle_id
        AND (o.kind = 'campaign' OR o.operation_id IN (SELECT s.operation_id FROM sent AS s))
    ORDER BY o.salesforce_id, o.operation_id
),

of_cycles AS (
    -- From when to when a cycle wrote, by the org's clock.
    SELECT
        s.cycle_id,
        min(s.sent_at) + min(s.org_ended_at - s.ended_at) AS began_at,
        max(s.org_ended_at) AS ended_at
    FROM crm.sending AS s
    WHERE s.account_id = :account_id AND s.cycle_id >= :cycle_id
    GROUP BY s.cycle_id
),

written_again AS (
    -- What was written to records after they were made, and how it found them. Each hides whether
    -- people had touched the record before, unless that was read.
    SELECT
        m.salesforce_id,
        o.sent_by,
        c.ended_at,
        r.found_at,
        row_number() OVER of_record AS place,
        coalesce(
            r.found_ours
            AND r.found_at <= coalesce(lag(c.ended_at) OVER of_record, m.left_at),
            false
        ) AS found_untouched
    FROM (
        SELECT made.*, e.ended_at AS left_at
        FROM made
        LEFT JOIN of_cycles AS e ON e.cycle_id = :cycle_id
    ) AS m
    INNER JOIN crm.operation AS o ON m.salesforce_id = o.salesforce_id
    LEFT JOIN of_cycles AS c ON o.sent_by = c.cycle_id
    LEFT JOIN crm.replaced_value AS r
        ON
            o.operation_id = r.operation_id
            AND o.salesforce_id = r.salesforce_id
            AND o.sent_by = r.cycle_id
    WHERE
        o.account_id = :account_id
        AND o.state = 'done'
        AND o.action IN ('create', 'update')
        AND o.operation_id <> m.operation_id
    WINDOW of_record AS (PARTITION BY m.salesforce_id ORDER BY o.finished_at, o.operation_id)
),

left_as AS (
    SELECT
        w.salesforce_id,
        max(w.ended_at) AS left_at,
        (array_agg(w.sent_by ORDER BY w.place) FILTER (WHERE NOT w.found_untouched))[1] AS hidden_by,
        (array_agg(w.found_at ORDER BY w.place) FILTER (WHERE NOT w.found_untouched))[1]
        IS NOT NULL AS was_touched
    FROM written_again AS w
    GROUP BY w.salesforce_id
),

replacing AS (
    SELECT
        r.salesforce_id,
        r.sobject,
        r.operation_id,
        f.key AS field,
        r.former -> f.key AS former,
        f.value AS written,
        row_number() OVER of_field AS place,
        lag(f.value) OVER of_field <> r.former -> f.key AS edited_between
    FROM crm.replaced_value AS r
    CROSS JOIN LATERAL jsonb_each(r.written) AS f
    WHERE
        r.account_id = :account_id
        AND r.cycle_id = :cycle_id
        AND r.sent_at IS NOT NULL
        AND (CAST(:field AS text) IS NULL OR lower(f.key) = lower(CAST(:field AS text)))
        AND r.salesforce_id NOT IN (SELECT m.salesforce_id FROM made AS m)
    WINDOW of_field AS (PARTITION BY r.salesforce_id, f.key ORDER BY r.sent_at, r.operation_id)
),

replaced AS (
    SELECT
        r.salesforce_id,
        min(r.sobject) AS sobject,
        min(o.flow) AS flow,
        min(o.person_key) AS person_key,
        r.field,
        (array_agg(r.former ORDER BY r.place))[1] AS former,
        (array_agg(r.written ORDER BY r.place DESC))[1] AS written,
        CASE WHEN bool_or(r.edited_between) THEN CAST(:cycle_id AS bigint) END AS again_by
    FROM replacing AS r
    INNER JOIN crm.operation AS o ON r.operation_id = o.operation_id
    GROUP BY r.salesforce_id, r.field
),

later AS (
    -- What a later cycle wrote as well hides whether people had changed it before, unless it found ours.
    SELECT r.salesforce_id, r.field, max(o.sent_by) AS again_by
    FROM replaced AS r
    INNER JOIN crm.operation AS o ON r.salesforce_id = o.salesforce_id
    LEFT JOIN crm.replaced_value AS v
        ON
            o.operation_id = v.operation_id
            AND o.salesforce_id = v.salesforce_id
            AND o.sent_by = v.cycle_id
    WHERE
        o.account_id = :account_id
        AND o.state = 'done'
        AND o.action IN ('create', 'update')
        AND o.sent_by > :cycle_id
        AND crm.fields_written(coalesce(o.sent, v.written), o.intent, o.sobject) ? r.field
        AND NOT coalesce(v.former -> r.field = r.written AND v.written -> r.field = r.written, false)
    GROUP BY r.salesforce_id, r.field
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
        jsonb_strip_nulls(jsonb_object_agg(r.field, coalesce(l.again_by, r.again_by))) AS again,
        CAST(NULL AS timestamptz) AS made_from,
        CAST(NULL AS timestamptz) AS left_at,
        CAST(NULL AS bigint) AS hidden_by,
        CAST(NULL AS boolean) AS was_touched
    FROM replaced AS r
    LEFT JOIN later AS l ON r.salesforce_id = l.salesforce_id AND r.field = l.field
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
        '{}',
        c.began_at,
        greatest(c.ended_at, l.left_at),
        l.hidden_by,
        l.was_touched
    FROM made AS m
    LEFT JOIN of_cycles AS c ON c.cycle_id = :cycle_id
    LEFT JOIN left_as AS l ON m.salesforce_id = l.salesforce_id
),

unsettled AS (
    SELECT o.operation_id, o.natural_key, o.intent ->> 'id' AS salesforce_id, o.state
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'undo'
        AND o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
        AND starts_with(o.natural_key, 'undo:' || CAST(:cycle_id AS text) || ':')
),

keyed AS (
    SELECT
        w.*,
        k.whole_key,
        k.whole_key || coalesce(':' || lower(CAST(:field AS text)), '') AS natural_key
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT 'undo:' || CAST(:cycle_id AS text) || ':' || w.salesforce_id AS whole_key
    ) AS k
    WHERE CAST(:only AS text []) IS NULL OR w.salesforce_id = any(CAST(:only AS text []))
),

wanted_anew AS (
    INSERT INTO crm.operation (
        account_id, flow, kind, natural_key, version, person_key, as_of, content_hash, intent, read_by
    )
    SELECT
        :account_id,
        w.flow,
        'undo',
        w.natural_key,
        coalesce(before.version, 0) + 1,
        w.person_key,
        now(),
        '',
        jsonb_build_object(
            'sobject', w.sobject,
            'id', w.salesforce_id,
            'fields', w.fields,
            'written', w.written,
            'again', w.again,
            'made_from', w.made_from,
            'left_at', w.left_at,
            'hidden_by', w.hidden_by,
            'was_touched', w.was_touched,
            'stage', w.stage,
            'because', CAST(:because AS text),
            'key', NULL,
            'refs', '{}'::jsonb
        ),
        NULL
    FROM keyed AS w
    LEFT JOIN LATERAL (
        SELECT max(o.version) AS version
        FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = w.natural_key
    ) AS before ON true
    WHERE
        NOT EXISTS (
            SELECT FROM unsettled AS u
            WHERE
                u.natural_key IN (w.whole_key, w.natural_key)
                AND u.state IN ('pending', 'held', 'in_flight')
        )
    ORDER BY w.stage, w.salesforce_id
    RETURNING natural_key, intent ->> 'id' AS salesforce_id
)

-- What failed is wanted anew, and all that was wanted of some fields alone goes into the whole.
UPDATE crm.operation AS o
SET state = 'superseded', finished_at = now()
FROM wanted_anew AS n
INNER JOIN unsettled AS u ON n.salesforce_id = u.salesforce_id
WHERE
    o.operation_id = u.operation_id
    AND u.state <> 'in_flight'
    AND (n.natural_key = u.natural_key OR CAST(:field AS text) IS NULL)
