-- These operations were published as events: what their records hold is not sure until it is seen.
UPDATE crm.record AS r
SET awaits_version = o.version, last = '{}'
FROM crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND r.account_id = o.account_id
    AND r.natural_key = o.natural_key
