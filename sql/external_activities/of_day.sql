SELECT count(*)
FROM crm.external_activity
WHERE account_id = :account_id AND at > now() - interval '1 day'
