-- What a plan says, and what a cycle made of the same, where these differ; NULL: nothing.
SELECT
    coalesce(a.about, f.about) AS about,
    coalesce(a.sobject, f.sobject) AS sobject,
    f.outcome AS foreseen,
    a.outcome AS became,
    coalesce(a.code || ': ' || a.reason, a.code, a.reason, '') AS reason
FROM (SELECT * FROM crm.plan_row WHERE plan_id = :plan_id) AS f
FULL JOIN planned AS a ON f.about = a.about
WHERE
    (
        f.outcome IS DISTINCT FROM a.outcome
        -- What would be refused is not sent to be that.
        AND (f.outcome, a.outcome) IS DISTINCT FROM ('refused', 'waiting')
    )
    OR (f.outcome IN ('update', 'delete') AND f.salesforce_id IS DISTINCT FROM a.salesforce_id)
    OR (
        f.outcome IN ('create', 'update')
        AND (
            f.sobject <> a.sobject
            OR f.content IS DISTINCT FROM crm.plan_content(a.fields, f.unknown)
        )
    )
ORDER BY a.operation_id, f.about
