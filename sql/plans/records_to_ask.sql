-- The records that may explain departures which nothing explains yet.
SELECT DISTINCT d.sobject, r.salesforce_id
FROM crm.plan_departure AS d
CROSS JOIN unnest(d.salesforce_ids) AS r (salesforce_id)
WHERE d.plan_id = :plan_id AND d.explanation IS NULL
