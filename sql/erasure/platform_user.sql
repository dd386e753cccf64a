DELETE FROM crm.platform_user
WHERE
    account_id = :account_id
    AND (digest = any(:digests) OR user_id = any(CAST(:user_ids AS text [])))
