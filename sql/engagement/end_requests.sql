-- These full readings are done.
DELETE FROM crm.engagement_request
WHERE account_id = :account_id AND prospect_id = any(CAST(:prospect_ids AS text []))
