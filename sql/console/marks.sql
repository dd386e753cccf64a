-- What stands out of accounts, of some of them: causes that hold them up, and a promise not kept.
SELECT
    a.account_id,
    (
        SELECT count(*) FROM crm.incident AS i WHERE i.account_id = a.account_id AND i.closed_at IS NULL
    ) AS incidents,
    EXISTS (
        SELECT FROM crm.alert AS w
        WHERE w.account_id = a.account_id AND w.cause = 'late' AND w.closed_at IS NULL
    ) AS late
FROM crm.account AS a
WHERE a.account_id = any(CAST(:account_ids AS text []))
