-- Whether another account works in the same org, or may: one that never logged in, at an address
-- that may lead there.
SELECT EXISTS (
    SELECT FROM crm.account_org AS o
    WHERE o.organization_id = :organization_id AND o.account_id <> :account_id
) OR EXISTS (
    SELECT FROM crm.account AS a
    INNER JOIN crm.account AS own ON own.account_id = :account_id
    LEFT JOIN crm.account_org AS o ON a.account_id = o.account_id
    WHERE
        a.account_id <> :account_id
        AND a.enabled
        AND o.account_id IS NULL
        AND (
            a.login_url = own.login_url
            OR a.login_url ~ '//(login|test)[.]salesforce[.]com'
            OR own.login_url ~ '//(login|test)[.]salesforce[.]com'
        )
)
