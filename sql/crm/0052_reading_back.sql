-- Reading back at the account's own pace, sooner where a hint comes; and what was deleted for good,
-- of which the org tells nothing.

CREATE TABLE crm.read_hint (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    hinted_at timestamptz NOT NULL
);

COMMENT ON TABLE crm.read_hint
IS 'Somebody says that an account''s org has changes: it is read at the next opportunity. A lost hint '
   'costs time, not data.';

CREATE TABLE crm.org_sweep (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    sobject text NOT NULL,
    after_id text NOT NULL,
    begun_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, sobject)
);

COMMENT ON TABLE crm.org_sweep
IS 'How far the records that an account holds were looked for in this round; after the last one a new '
   'round begins a day after this one began.';

CREATE TABLE crm.org_missing (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    sobject text NOT NULL,
    salesforce_id text NOT NULL,
    misses integer NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, salesforce_id)
);

COMMENT ON TABLE crm.org_missing
IS 'Records that an account holds and did not find while it found others of their object. One miss '
   'proves nothing, since lost rights look the same.';
