-- What is known of the org's objects counts as old; it is still shown to people.
UPDATE crm.sobject_schema
SET described_at = now() - interval '2 days'
WHERE account_id = :account_id AND described_at > now() - interval '1 day'
