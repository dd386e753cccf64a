-- Something that belongs to the account has changed: a failed one need not wait for its next try.
UPDATE crm.account SET updated_at = now() WHERE account_id = :account_id
