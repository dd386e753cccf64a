-- What an update replaced in the org, so that a cycle can be taken back. Kept for UNDO_DAYS.
CREATE TABLE crm.replaced_value (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    operation_id bigint NOT NULL,
    salesforce_id text NOT NULL,
    cycle_id bigint NOT NULL,
    sobject text NOT NULL,
    former jsonb NOT NULL,
    written jsonb NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz,
    PRIMARY KEY (operation_id, salesforce_id, cycle_id)
);

-- What a cycle replaced; and a person's, for a removal.
CREATE INDEX replaced_value_of_cycle ON crm.replaced_value (account_id, cycle_id);
CREATE INDEX replaced_value_of_record ON crm.replaced_value (account_id, salesforce_id);
CREATE INDEX replaced_value_by_time ON crm.replaced_value (kept_at);

COMMENT ON TABLE crm.replaced_value
IS 'The values that an update replaced in a record, those known before it went out, and ours.';
COMMENT ON COLUMN crm.replaced_value.cycle_id
IS 'The cycle that sent it, or has only decided it (sent_at is NULL).';
COMMENT ON COLUMN crm.replaced_value.former IS 'By field, what stood there.';
COMMENT ON COLUMN crm.replaced_value.written IS 'By the same fields, what was sent.';
