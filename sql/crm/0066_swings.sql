-- Two systems that set a field in turn: the org's automation undoes what the source wants, and the
-- source takes that over, for ever. Counted, so that it ends and people are told. Nothing that is
-- there changes.

CREATE TABLE crm.org_swing (
    organization_id text NOT NULL,
    salesforce_id text NOT NULL,
    field text NOT NULL,
    sobject text NOT NULL,
    times integer NOT NULL,
    previous bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, salesforce_id, field)
);

CREATE INDEX org_swing_by_times ON crm.org_swing (organization_id, times);

COMMENT ON TABLE crm.org_swing
IS 'Fields of an org that differ from what we wrote there last although the source knew that value.';
COMMENT ON COLUMN crm.org_swing.times
IS 'How often in a row the field came back to the value before; 0 where it took another one.';
COMMENT ON COLUMN crm.org_swing.previous
IS 'A digest of the value that the source knew before the present one.';
COMMENT ON COLUMN crm.org_swing.seen_at IS 'When it changed last, as far as was read.';
