-- A later update of ours hides whether somebody had edited a record before. So it is kept how the record
-- was found, where that was read.
ALTER TABLE crm.replaced_value
ADD COLUMN found_at timestamptz,
ADD COLUMN found_ours boolean;

COMMENT ON COLUMN crm.replaced_value.found_at
IS 'The SystemModstamp that the record had before; NULL: that was not read.';
COMMENT ON COLUMN crm.replaced_value.found_ours
IS 'Whether our user was the last one to change it before.';

-- The fields that an operation wrote to an object, or was to write.
CREATE FUNCTION crm.fields_written(sent jsonb, intent jsonb, sobject text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN jsonb_typeof(sent) = 'object' THEN sent
    WHEN jsonb_typeof(intent -> sobject) = 'object' THEN intent -> sobject
    WHEN jsonb_typeof(intent -> 'campaign') = 'object' THEN intent -> 'campaign'
    WHEN jsonb_typeof(intent -> 'fields') = 'object' THEN intent -> 'fields'
    ELSE '{}'::jsonb
END;
