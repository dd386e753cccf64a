SELECT count(*)
FROM crm.operation AS o
WHERE
    o.state = any(CAST(:states AS text []))
    AND (CAST(:account_id AS text) IS NULL OR o.account_id = :account_id)
    AND (CAST(:error_code AS text) IS NULL OR :error_code IN (o.error_code, o.reason_code))
