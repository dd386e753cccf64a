-- Accounts whose Opportunities were not asked for yet.
SELECT a.salesforce_id
FROM crm.engagement_aggregate AS a
WHERE a.account_id = :account_id AND a.sobject = 'Account' AND NOT a.is_sought AND a.is_there
ORDER BY a.salesforce_id
LIMIT :limit
