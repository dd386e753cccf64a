-- How far an account's operations are let through, and what it is held for, if it is; without a row its
-- first load is to begin.
SELECT
    coalesce(b.passed_operation, 0) AS passed_operation,
    coalesce(b.load_approved, true) AS load_approved,
    h.exceeded
FROM (SELECT CAST(:account_id AS text) AS account_id) AS a
LEFT JOIN crm.brake AS b ON a.account_id = b.account_id
LEFT JOIN crm.hold AS h ON a.account_id = h.account_id AND h.decision IS NULL
