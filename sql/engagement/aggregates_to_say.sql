-- Accounts and Opportunities of which something is to be said.
SELECT
    a.salesforce_id,
    a.sobject,
    a.org_account,
    a.is_there,
    a.is_engaged
FROM crm.engagement_aggregate AS a
WHERE a.account_id = :account_id AND a.is_due
ORDER BY a.salesforce_id
LIMIT :limit
