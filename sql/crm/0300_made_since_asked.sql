-- A few new records in each cycle fill an org up as well.
ALTER TABLE crm.sync_state ADD COLUMN made_since_asked integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN crm.sync_state.made_since_asked
IS 'New records since the org was asked for how many it has room; of accounts with a storage_share.';
