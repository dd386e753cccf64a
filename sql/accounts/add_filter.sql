INSERT INTO crm.email_filter (account_id, filter_string)
VALUES (:account_id, :filter_string)
ON CONFLICT DO NOTHING
