-- What a plan says, record by record, behind one.
SELECT r.about, r.sobject, r.outcome, r.salesforce_id, p.person_key
FROM crm.plan_row AS r
INNER JOIN crm.plan AS n ON r.plan_id = n.plan_id
LEFT JOIN crm.person AS p ON n.account_id = p.account_id AND r.address = p.address
WHERE
    r.plan_id = :plan_id
    AND (CAST(:after AS text) IS NULL OR (r.about, r.sobject) > (:after, :after_object))
ORDER BY r.about, r.sobject
LIMIT :limit
