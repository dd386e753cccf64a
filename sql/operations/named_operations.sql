-- Those of these operations that exist: whose they are and how they stand.
SELECT
    operation_id,
    account_id,
    CASE
        WHEN state = 'dropped' AND reason_code = 'HOLD_REJECTED' THEN 'held and rejected'
        ELSE state
    END AS state
FROM crm.operation
WHERE operation_id = any(CAST(:operation_ids AS bigint []))
ORDER BY operation_id
