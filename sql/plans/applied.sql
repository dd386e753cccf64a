UPDATE crm.plan SET cycle_id = :cycle_id WHERE plan_id = :plan_id
