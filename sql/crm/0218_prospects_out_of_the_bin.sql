-- A prospect that people deleted is there again when they take its record out of the bin.

ALTER TABLE crm.prospect ADD COLUMN deleted_record text;

CREATE INDEX prospect_deleted_record ON crm.prospect (account_id, deleted_record)
WHERE deleted_record IS NOT NULL;

COMMENT ON COLUMN crm.prospect.deleted_record
IS 'The Id of its record, where people deleted that and so the prospect is gone.';
