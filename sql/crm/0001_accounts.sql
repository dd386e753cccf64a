-- The clients' accounts, what each wants, and how to get into its org.

CREATE TABLE crm.account (
    account_id text PRIMARY KEY CHECK (account_id ~ '^[A-Za-z0-9_-]+$'),
    client_id text NOT NULL,
    name text NOT NULL,
    login_url text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN crm.account.client_id IS 'The warehouse''s client that this account is.';
COMMENT ON COLUMN crm.account.settings IS 'AccountSettings (crm_pipeline/accounts) as JSON.';

CREATE TABLE crm.credential (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    ciphertext bytea NOT NULL,
    refused_reason text,
    refused_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN crm.credential.refused_at
IS 'Salesforce refused these credentials; they are not tried again until they change, '
   'because repeated attempts lock the user out.';

CREATE TABLE crm.email_filter (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    filter_string text NOT NULL CHECK (btrim(filter_string) <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, filter_string)
);

CREATE TABLE crm.pushed_session (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    event_session_id bigint NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    backfilled_at timestamptz,
    PRIMARY KEY (account_id, event_session_id)
);

COMMENT ON TABLE crm.pushed_session
IS 'Event sessions to push; an account without any pushes all of its sessions.';
COMMENT ON COLUMN crm.pushed_session.backfilled_at
IS 'When what the session had below the watermark was read; until then it is read whole.';

CREATE TABLE crm.field_mapping (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    sobject text NOT NULL,
    field text NOT NULL,
    source text,
    constant text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, sobject, field),
    CHECK (source IS NULL OR constant IS NULL)
);

COMMENT ON TABLE crm.field_mapping
IS 'Overrides of the default mapping: a field gets a warehouse column, a constant, or nothing.';
