-- Nobody looks for the person's addresses any more.
DELETE FROM crm.engagement_address
WHERE account_id = :account_id AND email = any(CAST(:addresses AS text []))
