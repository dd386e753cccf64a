SELECT
    account.account_id,
    account.client_id,
    account.name,
    account.login_url,
    account.enabled,
    account.activated_at IS NULL AS draft,
    CASE
        WHEN credential.account_id IS NULL THEN 'missing'
        WHEN credential.refused_at IS NULL THEN 'set'
        ELSE 'refused'
    END AS credentials
FROM crm.account
LEFT JOIN crm.credential USING (account_id)
ORDER BY account.account_id
