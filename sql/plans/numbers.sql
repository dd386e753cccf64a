-- How much of each object comes to what, by a plan that is kept.
SELECT
    sobject,
    outcome,
    count(*) AS records
FROM crm.plan_row
WHERE plan_id = :plan_id
GROUP BY sobject, outcome
ORDER BY sobject, outcome
