SELECT account_id
FROM crm.account
WHERE enabled
ORDER BY account_id
