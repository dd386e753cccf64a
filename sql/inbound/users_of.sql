SELECT user_id, columns
FROM crm.platform_user
WHERE account_id = :account_id AND digest = any(:digests)
ORDER BY user_id
