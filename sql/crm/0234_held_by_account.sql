-- Whoever takes an account's lock releases what is held, which is next to nothing: found by this, or all
-- operations of the account would be read at the beginning of each cycle.
CREATE INDEX operation_held ON crm.operation (account_id) WHERE state = 'held';
