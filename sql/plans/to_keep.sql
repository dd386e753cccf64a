-- The rows of a plan as they are kept.
SELECT
    p.about,
    p.address,
    p.sobject,
    p.outcome,
    CASE WHEN p.outcome <> 'create' THEN p.salesforce_id END AS salesforce_id,
    u.unknown,
    crm.plan_content(p.fields, u.unknown) AS content,
    p.version,
    p.wanted
FROM planned AS p
CROSS JOIN LATERAL (
    SELECT
        ARRAY(
            SELECT f.key
            FROM jsonb_each_text(p.fields) AS f
            WHERE f.value ~ :placeholder
            ORDER BY f.key
        ) AS unknown
) AS u
WHERE p.outcome <> 'held'
ORDER BY p.operation_id
