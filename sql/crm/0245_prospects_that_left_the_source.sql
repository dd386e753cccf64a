-- A prospect that the source no longer has is deleted again when people take its record out of the
-- bin: it lay in the org without tags, and nobody knew of it.

ALTER TABLE crm.prospect ADD COLUMN left_source boolean NOT NULL DEFAULT false;

UPDATE crm.prospect AS p
SET
    left_source = true,
    deleted_record = (
        SELECT o.salesforce_id
        FROM crm.operation AS o
        WHERE o.account_id = p.account_id AND o.natural_key = 'prospect:' || p.prospect_id
        ORDER BY o.version DESC
        LIMIT 1
    )
WHERE p.is_gone AND p.deleted_record IS NULL;

COMMENT ON COLUMN crm.prospect.left_source
IS 'It is gone since a full reading did not find it at the source, whoever deleted its record.';
COMMENT ON COLUMN crm.prospect.deleted_record
IS 'The Id of its record, where the prospect is gone: people may take that out of the bin.';
