-- Keeps where a cycle came to something else than a plan says, with what explains it as far as the
-- ledger knows. What is new since the plan, and was not sent, is none.
WITH newest AS (
    SELECT about, max(version) AS version
    FROM planned
    GROUP BY about
)

INSERT INTO crm.plan_departure (
    plan_id, operation_id, about, address, sobject, foreseen, became, reason, salesforce_ids,
    explanation
)
SELECT
    :plan_id,
    a.operation_id,
    coalesce(a.about, f.about),
    coalesce(a.address, f.address),
    coalesce(a.sobject, f.sobject),
    f.outcome,
    a.outcome,
    coalesce(a.code || ': ' || a.reason, a.code, a.reason, ''),
    array_remove(
        ARRAY[f.salesforce_id, CASE WHEN a.outcome <> 'create' THEN a.salesforce_id END], NULL
    ),
    CASE
        WHEN f.about IS NULL THEN CASE WHEN NOT :binds THEN 'source' END
        WHEN f.wanted <> a.wanted THEN 'source'
        WHEN a.about IS NULL AND n.version > f.version THEN 'source'
        WHEN
            a.about IS NULL AND EXISTS (
                SELECT FROM crm.plan AS p
                INNER JOIN crm.hold AS h ON p.account_id = h.account_id
                WHERE
                    p.plan_id = :plan_id
                    AND h.decision = 'rejected'
                    AND h.decided_at > p.made_at
            )
            THEN 'rejected'
        WHEN EXISTS (
            SELECT FROM crm.plan AS p
            INNER JOIN crm.account AS c ON p.account_id = c.account_id
            WHERE
                p.plan_id = :plan_id
                AND c.updated_at > p.made_at
                AND c.updated_at IS DISTINCT FROM c.activated_at
        ) THEN 'settings'
        WHEN f.outcome IN ('refused', 'waiting') THEN 'time'
        WHEN 'ambiguous' IN (f.outcome, a.outcome) OR a.operation_id = any(:touched) THEN 'org'
        WHEN a.code IS NOT NULL AND a.code <> all(CAST(:foreseeable AS text [])) THEN 'rules'
        WHEN a.reason = :by_duplicate_rule OR EXISTS (
            SELECT FROM crm.field_change AS c
            WHERE
                c.operation_id = a.operation_id
                AND c.changed_at >= begun.started_at
                AND c.why <> all(CAST(:told_by_describes AS text []))
        ) THEN 'rules'
    END
FROM (SELECT * FROM crm.plan_row WHERE plan_id = :plan_id) AS f
FULL JOIN planned AS a ON f.about = a.about AND f.version = a.version
LEFT JOIN newest AS n ON f.about = n.about
CROSS JOIN (SELECT started_at FROM crm.cycle WHERE cycle_id = :cycle_id) AS begun
WHERE
    (f.about IS NOT NULL OR a.outcome IN ('create', 'update', 'delete'))
    AND (
        (
            f.outcome IS DISTINCT FROM a.outcome
            -- What would be refused is not sent to be that.
            AND (f.outcome, a.outcome) IS DISTINCT FROM ('refused', 'waiting')
        )
        OR (
            f.outcome IN ('update', 'delete')
            AND f.salesforce_id IS DISTINCT FROM a.salesforce_id
        )
        OR (
            f.outcome IN ('create', 'update')
            AND (
                f.sobject <> a.sobject
                OR f.content IS DISTINCT FROM crm.plan_content(a.fields, f.unknown)
            )
        )
    )
