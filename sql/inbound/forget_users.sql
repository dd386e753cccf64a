DELETE FROM crm.platform_user
WHERE account_id = :account_id AND user_id = any(CAST(:user_ids AS text []))
