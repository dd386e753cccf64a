SELECT refused_reason
FROM crm.credential
WHERE account_id = :account_id AND refused_at IS NOT NULL
