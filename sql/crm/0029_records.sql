-- Records of any object that a flow wants to be so: what of them stands in the org.

CREATE TABLE crm.record (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    natural_key text NOT NULL,
    topic text NOT NULL,
    sobject text NOT NULL,
    salesforce_id text NOT NULL,
    last jsonb NOT NULL,
    ref_fields text [] NOT NULL,
    ref_keys text [] NOT NULL,
    ref_ids text [] NOT NULL,
    as_of timestamptz NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, natural_key)
);

CREATE INDEX record_by_id ON crm.record (account_id, salesforce_id);
CREATE INDEX record_by_reference ON crm.record USING gin (ref_keys);

COMMENT ON TABLE crm.record IS 'Each record that stands in the org for a natural key.';
COMMENT ON COLUMN crm.record.last IS 'The values that this account wrote there last, by field.';
COMMENT ON COLUMN crm.record.ref_keys
IS 'What the fields of ref_fields refer to: natural keys, person:<number>, or id:<Salesforce Id>.';
COMMENT ON COLUMN crm.record.ref_ids IS 'The Ids that were written there for ref_keys.';

-- The children of a parent, to be aligned.
CREATE INDEX operation_children
ON crm.operation (account_id, (intent ->> 'parent'), (intent ->> 'topic'))
WHERE kind = 'record';

CREATE TABLE crm.record_look (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    looked_at timestamptz NOT NULL
);

COMMENT ON TABLE crm.record_look
IS 'Up to when it was noticed that what records refer to has become another record.';
