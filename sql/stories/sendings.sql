-- The requests in which some operations went out, as far back as they are kept.
SELECT
    o.operation_id,
    s.cycle_id,
    s.sobject,
    s.action,
    s.route,
    s.sent_at,
    s.ended_at
FROM crm.operation AS o
INNER JOIN crm.sending AS s
    ON
        o.account_id = s.account_id
        AND s.cycle_id BETWEEN o.read_by AND coalesce(o.sent_by, s.cycle_id)
        AND o.operation_id = any(s.operation_ids)
WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
ORDER BY s.sending_id
