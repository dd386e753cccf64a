-- Keeps where cycles, from begun_by on, came to something else than a plan says, with what explains it as far as the
-- ledger knows. What is new since the plan, and was not sent, is none; nor is, where the plan binds, what
-- other cycles sent beside it.
WITH newest AS (
    SELECT about, max(version) AS version
    FROM planned
    GROUP BY about
),

dropped AS MATERIALIZED (
    SELECT crm.plan_about(o.kind, o.natural_key, w.address) AS about
    FROM crm.plan AS p
    INNER JOIN crm.operation AS o ON p.account_id = o.account_id AND o.state = 'dropped'
    LEFT JOIN crm.person AS w ON o.person_key = w.person_key
    WHERE p.plan_id = :plan_id AND o.finished_at > p.made_at
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
        WHEN a.about IS NULL AND f.about IN (SELECT d.about FROM dropped AS d) THEN 'rejected'
        WHEN EXISTS (
            SELECT FROM crm.plan AS p
            INNER JOIN crm.account_change AS c ON p.account_id = c.account_id
            WHERE
                p.plan_id = :plan_id
                AND c.changed_at > p.made_at
                -- Whether it has cycles, what holds them and who may ask change nothing of what is sent.
                AND c.choice NOT IN ('enabled', 'activated_at', 'name', 'limits')
                AND c.choice NOT LIKE 'listener key %'
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
CROSS JOIN (SELECT started_at FROM crm.cycle WHERE cycle_id = :begun_by) AS begun
WHERE
    (
        f.about IS NOT NULL
        OR (
            a.outcome IN ('create', 'update', 'delete')
            AND (
                NOT :binds
                OR EXISTS (
                    SELECT FROM crm.operation AS o
                    WHERE o.operation_id = a.operation_id AND o.sent_by = :cycle_id
                )
            )
        )
    )
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
