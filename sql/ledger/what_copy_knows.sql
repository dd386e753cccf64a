-- Until when a ledger that may be an older copy knows what was sent, by the org's clock; whether what was
-- written since was looked through, and whether a person said that it is the account's.
SELECT known_until, looked_through, adopts FROM crm.ledger_mark WHERE account_id = :account_id
