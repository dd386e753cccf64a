-- People of whom it is decided which fields of which record are to change, oldest first; with what stood
-- there when that was decided, if it is not long ago.
SELECT
    o.operation_id,
    o.natural_key,
    o.sobject,
    o.salesforce_id,
    o.sent,
    o.reason,
    coalesce(r.former, '{}') AS former
FROM crm.operation AS o
LEFT JOIN LATERAL (
    SELECT v.former
    FROM crm.replaced_value AS v
    WHERE
        v.operation_id = o.operation_id
        AND v.salesforce_id = o.salesforce_id
        AND v.kept_at > now() - interval '1 day'
    ORDER BY v.cycle_id DESC
    LIMIT 1
) AS r ON true
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'pending'
    AND o.action = 'update'
    AND o.operation_id > :after
ORDER BY o.operation_id
LIMIT :limit
