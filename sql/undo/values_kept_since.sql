-- Since when values that went out over others are known of an account; NULL: none are.
SELECT min(r.kept_at) AS since
FROM crm.replaced_value AS r
WHERE r.account_id = :account_id AND r.sent_at IS NOT NULL
