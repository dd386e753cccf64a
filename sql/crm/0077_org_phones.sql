-- Whose phone numbers stand in an account's org: read once, and kept by what is read back.

CREATE TABLE crm.org_phone (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    phone text NOT NULL,
    salesforce_id text NOT NULL,
    PRIMARY KEY (account_id, phone, salesforce_id)
);

CREATE INDEX org_phone_by_record ON crm.org_phone (account_id, salesforce_id);

COMMENT ON TABLE crm.org_phone
IS 'The valid numbers of leads that are not converted and of contacts, as tel:+4930901820;ext=12.';

CREATE TABLE crm.org_phones_kept (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    region text,
    kept_at timestamptz NOT NULL
);

COMMENT ON TABLE crm.org_phones_kept
IS 'Accounts whose org''s numbers are known, as they were read in a region. What was read back of leads '
   'or contacts after kept_at was read without keeping numbers: then they are read anew.';
