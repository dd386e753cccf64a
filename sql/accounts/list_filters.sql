SELECT filter_string
FROM crm.email_filter
WHERE account_id = :account_id
ORDER BY filter_string
