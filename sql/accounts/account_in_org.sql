-- Another account by which this client's webinars went to the same org.
SELECT account_id
FROM crm.account_org
WHERE
    organization_id = :organization_id
    AND client_id = :client_id
    AND account_id <> :account_id
ORDER BY checked_at
LIMIT 1
