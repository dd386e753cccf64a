SELECT count(*)
FROM crm.operation AS o
WHERE
    o.state = any(CAST(:states AS text []))
    AND (CAST(:account_id AS text) IS NULL OR o.account_id = :account_id)
    AND (CAST(:error_code AS text) IS NULL OR :error_code IN (o.error_code, o.reason_code))
    AND (CAST(:kind AS text) IS NULL OR o.kind = :kind)
    AND (
        CAST(:since AS timestamptz) IS NULL
        OR greatest(o.created_at, o.sent_at, o.finished_at) >= :since
    )
    AND (
        CAST(:until AS timestamptz) IS NULL
        OR greatest(o.created_at, o.sent_at, o.finished_at) < :until
    )
