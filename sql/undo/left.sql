-- What a cycle did that nothing can be taken back of, with the reason as a code; of one field, or all.
WITH sent AS (
    SELECT
        s.action,
        each.operation_id,
        -- Of sendings of former versions nobody has noted it.
        bool_or(coalesce(each.operation_id = any(s.unanswered), true)) AS is_unanswered
    FROM crm.sending AS s
    CROSS JOIN LATERAL unnest(s.operation_ids) AS each (operation_id)
    WHERE s.account_id = :account_id AND s.cycle_id = :cycle_id
    GROUP BY s.action, each.operation_id
),

done AS (
    SELECT s.action AS sent_as, s.is_unanswered, r.written, o.*
    FROM sent AS s
    INNER JOIN crm.operation AS o ON s.operation_id = o.operation_id
    LEFT JOIN crm.replaced_value AS r
        ON
            o.operation_id = r.operation_id
            AND o.salesforce_id = r.salesforce_id
            AND r.cycle_id = :cycle_id
    WHERE o.account_id = :account_id
),

not_kept AS (
    SELECT
        d.sobject,
        d.salesforce_id,
        d.person_key,
        array_agg(DISTINCT f.field ORDER BY f.field) AS fields
    FROM done AS d
    CROSS JOIN LATERAL jsonb_object_keys(
        crm.fields_written(coalesce(d.sent, d.written), d.intent, d.sobject)
    ) AS f (field)
    WHERE
        d.sent_as = 'update'
        AND d.state = 'done'
        AND d.action = 'update'
        AND (CAST(:field AS text) IS NULL OR lower(f.field) = lower(CAST(:field AS text)))
        AND NOT coalesce(d.written ? f.field, false)
    GROUP BY d.sobject, d.salesforce_id, d.person_key
)

SELECT l.sobject, l.salesforce_id, p.address AS about, l.code, l.fields
FROM (
    SELECT n.sobject, n.salesforce_id, n.person_key, 'not_kept' AS code, n.fields
    FROM not_kept AS n
    UNION ALL
    SELECT
        d.sobject,
        d.salesforce_id,
        d.person_key,
        CASE
            WHEN d.sent_as = 'delete' THEN 'deleted'
            WHEN d.state = 'in_flight' THEN 'no_answer'
            ELSE 'found'
        END,
        ARRAY[]::text []
    FROM done AS d
    WHERE
        CAST(:field AS text) IS NULL
        AND (
            (d.sent_as = 'delete' AND d.state = 'done' AND d.action = 'delete')
            OR (d.sent_as IN ('create', 'update', 'delete', 'upsert') AND d.state = 'in_flight')
            OR (
                d.sent_as IN ('create', 'upsert')
                AND d.state = 'done'
                AND (
                    (d.is_unanswered AND d.action NOT IN ('create', 'upsert'))
                    -- Its record became another one since, and was made anew; or it was refused.
                    OR (
                        d.sent_by <> :cycle_id
                        AND NOT EXISTS (
                            SELECT FROM crm.refusal AS r
                            WHERE r.operation_id = d.operation_id AND r.cycle_id = :cycle_id
                        )
                    )
                )
            )
        )
    UNION ALL
    SELECT 'a person', '', NULL, 'removed', ARRAY[]::text []
    FROM sent AS s
    WHERE
        NOT EXISTS (SELECT FROM crm.operation AS o WHERE o.operation_id = s.operation_id)
        OR EXISTS (
            SELECT FROM crm.operation AS o
            WHERE o.operation_id = s.operation_id AND o.intent = '{}' AND o.state = 'rejected'
        )
    UNION ALL
    SELECT 'message', o.natural_key, NULL, 'told', ARRAY[]::text []
    FROM crm.operation AS o
    WHERE
        o.account_id = :account_id
        AND o.kind = 'message'
        AND o.state = 'done'
        AND o.sent_by = :cycle_id
        AND CAST(:field AS text) IS NULL
) AS l
LEFT JOIN crm.person AS p ON l.person_key = p.person_key
ORDER BY l.code, l.sobject, l.salesforce_id
