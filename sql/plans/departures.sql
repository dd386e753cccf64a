-- Where a cycle came to something else than a plan says.
SELECT about, sobject, foreseen, became, reason, explanation
FROM crm.plan_departure
WHERE plan_id = :plan_id
ORDER BY explanation NULLS FIRST, about, operation_id
