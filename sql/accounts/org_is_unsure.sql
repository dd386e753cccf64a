-- Whether a login may lead to another org than the ledger is about: it did, its address or its
-- credentials have changed since the last one, or nobody ever looked.
SELECT
    CASE
        WHEN o.account_id IS NULL
            THEN EXISTS (SELECT FROM crm.identity AS i WHERE i.account_id = a.account_id)
        ELSE
            o.other_organization_id IS NOT NULL
            OR o.login_url <> a.login_url
            OR coalesce(c.updated_at > o.checked_at, false)
    END
FROM crm.account AS a
LEFT JOIN crm.account_org AS o ON a.account_id = o.account_id
LEFT JOIN crm.credential AS c ON a.account_id = c.account_id
WHERE a.account_id = :account_id
