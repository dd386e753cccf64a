-- Operations that failed in all of their tries and wait for support.
SELECT
    a.account_id,
    count(o.operation_id) = 0 AS passed,
    count(o.operation_id) AS exhausted
FROM crm.account AS a
LEFT JOIN crm.operation AS o ON a.account_id = o.account_id AND o.state = 'exhausted'
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
