-- Two who make a key at the same time come one after the other.
SELECT account_id FROM crm.account WHERE account_id = :account_id FOR UPDATE
