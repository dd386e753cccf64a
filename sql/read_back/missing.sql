-- Records of an object that were not found, but not yet often enough.
SELECT salesforce_id
FROM crm.org_missing
WHERE account_id = :account_id AND sobject = :sobject AND misses < :proof
ORDER BY salesforce_id
LIMIT :limit
