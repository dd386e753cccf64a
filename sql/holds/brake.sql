-- How far an account's operations are let through, and what it is held for, if it is; without a row its
-- first load is to begin. With whether there is anything that was not held to its limits yet, and anybody
-- who was left out, as the account made nobody.
SELECT
    coalesce(b.passed_operation, 0) AS passed_operation,
    coalesce(b.load_approved, true) AS load_approved,
    b.pile,
    h.exceeded,
    EXISTS (
        SELECT FROM crm.operation AS o
        WHERE
            o.account_id = a.account_id
            AND o.state = 'pending'
            AND o.kind IN ('person', 'activity', 'campaign', 'member', 'record')
            AND o.operation_id > coalesce(b.passed_operation, 0)
    ) AS has_unjudged,
    EXISTS (
        SELECT FROM crm.operation AS p
        WHERE
            p.account_id = a.account_id
            AND p.kind = 'person'
            AND p.state = 'left_out'
            AND p.reason_code = 'UNKNOWN_PERSON'
    ) AS has_left_out
FROM (SELECT CAST(:account_id AS text) AS account_id) AS a
LEFT JOIN crm.brake AS b ON a.account_id = b.account_id
LEFT JOIN crm.hold AS h ON a.account_id = h.account_id AND h.decision IS NULL
