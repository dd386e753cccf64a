DELETE FROM crm.email_filter
WHERE account_id = :account_id AND lower(btrim(filter_string)) = any(:addresses)
