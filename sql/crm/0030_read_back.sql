-- Reading back: how far each watched object of an account's org is read, and what of each watched
-- record was last written there and last told to the source.

CREATE TABLE crm.org_position (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    sobject text NOT NULL,
    covered timestamptz NOT NULL,
    cursor_stamp timestamptz,
    cursor_id text,
    cursor_upto timestamptz,
    read_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, sobject)
);

COMMENT ON COLUMN crm.org_position.covered
IS 'All that changed before is read, by the org''s own word (latestDateCovered).';
COMMENT ON COLUMN crm.org_position.cursor_stamp
IS 'With cursor_id the last record of a reading that has not come to its end; cursor_upto is up to '
   'when all is covered at its end.';

CREATE TABLE crm.org_value (
    organization_id text NOT NULL,
    salesforce_id text NOT NULL,
    written jsonb NOT NULL DEFAULT '{}',
    told jsonb NOT NULL DEFAULT '{}',
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, salesforce_id)
);

COMMENT ON TABLE crm.org_value
IS 'Of watched records: a field has changed when it differs from both. By org and not by account, so '
   'that two accounts on one org do not echo each other.';
COMMENT ON COLUMN crm.org_value.written IS 'The values that any account wrote there last.';
COMMENT ON COLUMN crm.org_value.told IS 'The values that the source was told last.';
