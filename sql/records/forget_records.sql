-- These operations' records are not in the org any more.
DELETE FROM crm.record AS r
USING crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND r.account_id = o.account_id
    AND r.natural_key = o.natural_key
