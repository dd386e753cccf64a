DELETE FROM crm.email_filter
WHERE account_id = :account_id AND filter_string = :filter_string
RETURNING filter_string
