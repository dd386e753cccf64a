-- A cycle begins, and sees the plans of its account that none has seen; they come newest first.
WITH seen AS (
    UPDATE crm.plan
    SET seen_by = :cycle_id
    WHERE account_id = :account_id AND seen_by IS NULL
    RETURNING
        plan_id,
        account_id,
        made_at,
        start_at,
        of_some_people,
        org_time,
        cycle_id,
        as_planned IS NOT NULL AS is_compared
)

SELECT
    plan_id,
    account_id,
    made_at,
    start_at,
    of_some_people,
    org_time,
    cycle_id,
    is_compared
FROM seen
ORDER BY plan_id DESC
