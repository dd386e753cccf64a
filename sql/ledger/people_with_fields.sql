SELECT count(*)
FROM crm.identity
WHERE account_id = :account_id AND sent ?| CAST(:fields AS text [])
