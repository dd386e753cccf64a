-- Those of these activities of an org that are an operation's, of whatever person or account, and
-- whether they are this account's.
SELECT
    o.salesforce_id,
    bool_or(o.account_id = :account_id) AS is_own
FROM crm.operation AS o
WHERE
    o.kind = 'activity'
    AND o.salesforce_id IS NOT NULL
    AND o.salesforce_id = any(CAST(:salesforce_ids AS text []))
GROUP BY o.salesforce_id
