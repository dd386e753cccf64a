-- Where a cycle came to something else than a plan says, and whom each is about.
SELECT d.about, d.sobject, d.foreseen, d.became, d.reason, d.explanation, p.person_key
FROM crm.plan_departure AS d
INNER JOIN crm.plan AS n ON d.plan_id = n.plan_id
LEFT JOIN crm.person AS p ON n.account_id = p.account_id AND d.address = p.address
WHERE d.plan_id = :plan_id
ORDER BY d.explanation NULLS FIRST, d.about, d.operation_id
