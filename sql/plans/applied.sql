UPDATE crm.plan
SET cycle_id = :cycle_id, applied_at = now(), applied_by = :applied_by
WHERE plan_id = :plan_id
