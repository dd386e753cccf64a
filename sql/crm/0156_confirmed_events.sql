-- What an event is to bring about in a record is confirmed once a reading of the org shows it there.
ALTER TABLE crm.record ADD COLUMN awaits_version integer;
COMMENT ON COLUMN crm.record.awaits_version
IS 'The version that was published as an event and that the record did not show yet.';
CREATE INDEX record_awaiting ON crm.record (account_id) WHERE awaits_version IS NOT NULL;
