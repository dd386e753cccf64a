-- Addresses of prospects that were not sought in the org yet.
SELECT a.email
FROM crm.engagement_address AS a
WHERE a.account_id = :account_id AND NOT a.is_sought
ORDER BY a.email
LIMIT :limit
