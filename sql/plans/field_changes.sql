-- Values that would not go out as they are, by field.
SELECT
    p.sobject,
    c.field,
    c.why,
    count(*) AS records,
    min(c.old_value) AS example,
    min(c.new_value) AS becomes
FROM planned AS p
INNER JOIN crm.field_change AS c ON p.operation_id = c.operation_id
WHERE c.changed_at >= now() AND p.outcome IN ('create', 'update', 'refused')
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
