-- A cycle begins, and sees the plans of its account that none has seen which came to its end; they come
-- newest first.
WITH seen AS (
    UPDATE crm.plan
    SET seen_by = :cycle_id, begun_by = coalesce(begun_by, :cycle_id)
    WHERE
        account_id = :account_id
        AND (
            seen_by IS NULL
            OR (
                as_planned IS NULL
                AND EXISTS (
                    SELECT FROM crm.cycle AS c
                    WHERE c.cycle_id = seen_by AND c.state <> 'Complete'
                )
            )
        )
    RETURNING
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
)

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
    is_compared
FROM seen
ORDER BY plan_id DESC
