-- The engagement workflow: prospects as they were read last, and the Leads and Contacts that have
-- their addresses.

CREATE TABLE crm.engagement_definition (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('tag', 'score')),
    definition_id text NOT NULL,
    as_of timestamptz NOT NULL,
    columns jsonb NOT NULL,
    PRIMARY KEY (account_id, kind, definition_id)
);

COMMENT ON TABLE crm.engagement_definition IS 'The tags and scores that the source defines.';

CREATE TABLE crm.prospect (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    prospect_id text NOT NULL,
    as_of timestamptz NOT NULL,
    email text,
    is_active boolean NOT NULL,
    columns jsonb NOT NULL,
    tags jsonb NOT NULL,
    scores jsonb NOT NULL,
    is_gone boolean NOT NULL DEFAULT false,
    is_due boolean NOT NULL DEFAULT true,
    is_open boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, prospect_id)
);

CREATE INDEX prospect_by_email ON crm.prospect (account_id, email);
CREATE INDEX prospect_to_say ON crm.prospect (account_id, prospect_id) WHERE is_due OR is_open;
CREATE INDEX prospect_tags ON crm.prospect USING gin (tags);
CREATE INDEX prospect_scores ON crm.prospect USING gin (scores);

COMMENT ON COLUMN crm.prospect.email
IS 'As email_key writes it; by it the Leads and Contacts are found.';
COMMENT ON COLUMN crm.prospect.tags IS 'By the tag''s id; scores likewise.';
COMMENT ON COLUMN crm.prospect.is_gone
IS 'Not at the source in a full reading, or deleted by people in the org: it is not made again '
   'before the source changes it.';
COMMENT ON COLUMN crm.prospect.is_due IS 'What is wanted of it is to be said anew.';
COMMENT ON COLUMN crm.prospect.is_open IS 'Its Leads or Contacts have not got all of it yet.';

CREATE TABLE crm.engagement_address (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    email text NOT NULL,
    is_sought boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, email)
);

CREATE INDEX engagement_address_to_seek ON crm.engagement_address (account_id, email)
WHERE NOT is_sought;

COMMENT ON TABLE crm.engagement_address
IS 'Addresses of prospects. Once one was sought in the org, changes of Leads and Contacts tell who '
   'else has it.';

CREATE TABLE crm.engagement_person (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    salesforce_id text NOT NULL,
    sobject text NOT NULL CHECK (sobject IN ('Lead', 'Contact')),
    email text,
    is_there boolean NOT NULL,
    is_converted boolean NOT NULL,
    columns jsonb NOT NULL,
    stamp timestamptz NOT NULL,
    is_due boolean NOT NULL DEFAULT true,
    is_engaged boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, salesforce_id)
);

CREATE INDEX engagement_person_by_email ON crm.engagement_person (account_id, email);
CREATE INDEX engagement_person_due ON crm.engagement_person (account_id, salesforce_id)
WHERE is_due;

COMMENT ON TABLE crm.engagement_person
IS 'Leads and Contacts that have, or had, the address of a prospect, as they were read last.';
COMMENT ON COLUMN crm.engagement_person.is_there IS 'Not deleted.';
COMMENT ON COLUMN crm.engagement_person.stamp IS 'SystemModstamp of what was read.';
COMMENT ON COLUMN crm.engagement_person.is_engaged IS 'It has, or is to have, data of a prospect.';

CREATE TABLE crm.engagement_request (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    prospect_id text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, prospect_id)
);

COMMENT ON TABLE crm.engagement_request IS 'Full readings that people asked for.';
COMMENT ON COLUMN crm.engagement_request.prospect_id IS 'Empty: all prospects.';
