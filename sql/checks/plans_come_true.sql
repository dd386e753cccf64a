-- The newest plan that a cycle was held against came as it said, but for what is explained: by the
-- source, the settings, the org's rules, or by who changed the org since.
-- Parameters: account_ids.
SELECT
    a.account_id,
    coalesce(p.unexplained, 0) = 0 AS passed,
    coalesce(p.plan_id, 0) AS plan,
    coalesce(p.as_planned, 0) AS as_planned,
    coalesce(p.explained, 0) AS explained,
    coalesce(p.unexplained, 0) AS unexplained
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN LATERAL (
    SELECT w.plan_id, w.as_planned, w.explained, w.unexplained
    FROM crm.plan AS w
    WHERE w.account_id = a.account_id AND w.unexplained IS NOT NULL
    ORDER BY w.plan_id DESC
    LIMIT 1
) AS p ON true
