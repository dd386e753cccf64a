-- The ledger: every intended write, what became of it, and what is known of each person.

CREATE TABLE crm.cycle (
    cycle_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    run_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('Processing', 'Complete', 'Failed', 'Paused')),
    reason text,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    counts jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX cycle_by_account ON crm.cycle (account_id, cycle_id DESC);

CREATE TABLE crm.sync_state (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'New'
    CHECK (state IN ('New', 'Processing', 'Complete', 'Failed', 'Paused')),
    reason text,
    watermark timestamptz,
    cycle_id bigint,
    run_id text,
    started_at timestamptz,
    finished_at timestamptz,
    succeeded bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    failures_in_a_row integer NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    paused_until timestamptz,
    api_used integer,
    api_limit integer,
    api_seen_at timestamptz,
    latency_seconds double precision
);

COMMENT ON COLUMN crm.sync_state.claimed_until
IS 'A planner has asked for this account; no other asks for it before then.';

CREATE TABLE crm.source_position (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    source text NOT NULL,
    watermark timestamptz NOT NULL,
    seen_since timestamptz NOT NULL,
    seen_rows bigint NOT NULL,
    PRIMARY KEY (account_id, source)
);

COMMENT ON COLUMN crm.source_position.seen_rows
IS 'Rows of the source above seen_since when it was last read: another number means late rows.';

CREATE TABLE crm.operation (
    operation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    flow text NOT NULL,
    kind text NOT NULL,
    natural_key text NOT NULL,
    version integer NOT NULL,
    person_key text,
    as_of timestamptz NOT NULL,
    content_hash bytea NOT NULL,
    intent jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (
        state IN (
            'pending', 'in_flight', 'done', 'failed', 'exhausted', 'superseded', 'rejected',
            'dropped'
        )
    ),
    attempts_left smallint NOT NULL DEFAULT 5,
    next_attempt_at timestamptz,
    sobject text,
    action text,
    salesforce_id text,
    sent jsonb,
    reason text,
    error_code text,
    error_message text,
    read_by bigint,
    sent_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    finished_at timestamptz
);

-- The unique key that makes reading a row twice harmless; also finds the latest version.
CREATE UNIQUE INDEX operation_version
ON crm.operation (account_id, natural_key, version DESC);

-- What waits to be sent, oldest first.
CREATE INDEX operation_open
ON crm.operation (account_id, kind, operation_id)
WHERE state IN ('pending', 'in_flight', 'failed', 'exhausted');

CREATE INDEX operation_read_by ON crm.operation (read_by);

COMMENT ON COLUMN crm.operation.natural_key
IS 'What it is about: person:<email>, registration:<id>, attendance:<id>, …';
COMMENT ON COLUMN crm.operation.as_of IS 'When the source said so; what is newer wins.';
COMMENT ON COLUMN crm.operation.intent IS 'The mapped fields, by sObject.';
COMMENT ON COLUMN crm.operation.sent IS 'The fields as they went out, where not the intent''s own.';
COMMENT ON COLUMN crm.operation.reason
IS 'Why it was rejected, why this record was chosen, or what was changed to make it fit.';
COMMENT ON COLUMN crm.operation.read_by IS 'The cycle that read it.';
COMMENT ON COLUMN crm.operation.sent_by IS 'The cycle that sent it last.';

CREATE TABLE crm.identity (
    account_id text NOT NULL,
    person_key text NOT NULL,
    sobject text NOT NULL,
    salesforce_id text NOT NULL,
    reason text NOT NULL,
    sent jsonb NOT NULL,
    as_of timestamptz NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, person_key)
);

CREATE INDEX identity_by_record ON crm.identity (account_id, salesforce_id);

COMMENT ON TABLE crm.identity
IS 'Each known person: the record that stands for it in the org and the values last sent.';

CREATE TABLE crm.person_email (
    account_id text NOT NULL,
    source_person text NOT NULL,
    person_key text NOT NULL,
    as_of timestamptz NOT NULL,
    PRIMARY KEY (account_id, source_person)
);

COMMENT ON TABLE crm.person_email
IS 'The email each person of the source had when last seen, so that a changed one is noticed.';

CREATE TABLE crm.field_change (
    field_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    operation_id bigint NOT NULL,
    field text NOT NULL,
    why text NOT NULL,
    old_value text,
    new_value text,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX field_change_by_operation ON crm.field_change (operation_id);

COMMENT ON TABLE crm.field_change
IS 'Values that an org would not take, as they were and as they went out.';

CREATE TABLE crm.incident (
    incident_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    code text NOT NULL,
    subject text NOT NULL,
    message text NOT NULL,
    operations bigint NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);

CREATE UNIQUE INDEX incident_open ON crm.incident (account_id, code, subject)
WHERE closed_at IS NULL;

COMMENT ON TABLE crm.incident IS 'One cause that hits many rows, once, with its count.';

CREATE TABLE crm.sobject_schema (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    sobject text NOT NULL,
    described_at timestamptz NOT NULL DEFAULT now(),
    schema jsonb NOT NULL,
    PRIMARY KEY (account_id, sobject)
);
