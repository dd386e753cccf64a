-- Nobody is registered or invited any more whom people put into a campaign and who was removed.
DELETE FROM crm.campaign_wish
WHERE account_id = :account_id AND email = any(CAST(:addresses AS text []))
