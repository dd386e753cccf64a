SELECT
    plan_id,
    account_id,
    made_at,
    start_at,
    of_some_people,
    org_time,
    cycle_id,
    applied_at,
    applied_by,
    begun_by,
    as_planned IS NOT NULL AS is_compared
FROM crm.plan
WHERE plan_id = :plan_id AND account_id = :account_id
