-- These addresses were sought in the org.
UPDATE crm.engagement_address
SET is_sought = true
WHERE account_id = :account_id AND email = any(CAST(:emails AS text []))
