-- These were read, or asked for and not found.
UPDATE crm.engagement_person
SET unread_successor = NULL
WHERE account_id = :account_id AND unread_successor = any(CAST(:salesforce_ids AS text []))
