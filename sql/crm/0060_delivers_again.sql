-- A person's word that an account is to deliver its client to its org, though another account did so
-- before.
ALTER TABLE crm.account_org ADD COLUMN delivers_again boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.account_org.delivers_again
IS 'Its client is to be delivered there, though another account did so in former times.';
