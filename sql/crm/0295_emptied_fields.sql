-- What an account empties in a record that stands for people of other accounts, too, is noted for these:
-- each of them takes it up in its own cycle, so that none ever waits for a row of another one.
CREATE TABLE crm.emptied_field (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    person_key bigint NOT NULL,
    field text NOT NULL
);

CREATE INDEX emptied_field_by_account ON crm.emptied_field (account_id);

COMMENT ON TABLE crm.emptied_field
IS 'Fields that were emptied in the record of a person by another one of the same record, until the '
   'person''s account takes that up.';
COMMENT ON COLUMN crm.emptied_field.field IS 'In lower case.';
