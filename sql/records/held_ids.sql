-- The records that stand for what some operations are about.
SELECT o.operation_id, r.salesforce_id
FROM crm.operation AS o
INNER JOIN crm.record AS r ON o.account_id = r.account_id AND o.natural_key = r.natural_key
WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
