-- What stood in records before some operations wrote there, as far back as it is kept.
SELECT r.operation_id, r.cycle_id, r.sobject, r.salesforce_id, r.former, r.written, r.sent_at
FROM crm.replaced_value AS r
WHERE r.operation_id = any(CAST(:operation_ids AS bigint [])) AND r.sent_at IS NOT NULL
ORDER BY r.sent_at
