-- An account's failed and exhausted operations, of one error code or of all; those that a person
-- rejected by their code alone.
SELECT operation_id
FROM crm.operation
WHERE
    account_id = :account_id
    AND (
        (
            state IN ('failed', 'exhausted')
            AND (CAST(:error_code AS text) IS NULL OR error_code = :error_code)
        )
        OR (state = 'dropped' AND reason_code = 'HOLD_REJECTED' AND reason_code = :error_code)
    )
ORDER BY operation_id
