-- Records that absorbed others with data of a prospect, and were not read yet.
SELECT DISTINCT e.unread_successor
FROM crm.engagement_person AS e
WHERE e.account_id = :account_id AND e.unread_successor IS NOT NULL
ORDER BY e.unread_successor
LIMIT :limit
