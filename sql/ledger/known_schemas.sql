SELECT sobject, schema
FROM crm.sobject_schema
WHERE account_id = :account_id AND described_at > now() - interval '1 day'
