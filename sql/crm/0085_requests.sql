-- Requests from Salesforce: the keys that let somebody ask, what was asked, and who is not to be
-- processed any more.

CREATE TABLE crm.listener_key (
    key_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

CREATE INDEX listener_key_by_account ON crm.listener_key (account_id) WHERE revoked_at IS NULL;

COMMENT ON TABLE crm.listener_key IS 'Keys of the listener: two at a time, so that they can rotate.';
COMMENT ON COLUMN crm.listener_key.key_id IS 'The public beginning of the key.';
COMMENT ON COLUMN crm.listener_key.digest IS 'SHA-256 of the whole key, which is random.';

-- Tokens of the minute that processes have taken; whatever a crash loses of it costs nobody anything.
CREATE UNLOGGED TABLE crm.listener_minute (
    key_id text NOT NULL,
    minute timestamptz NOT NULL,
    taken integer NOT NULL,
    PRIMARY KEY (key_id, minute)
);

CREATE TABLE crm.request (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL UNIQUE,
    account_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('removal', 'macro', 'feedback', 'user_data')),
    door text NOT NULL CHECK (
        door IN ('listener', 'open_dsr', 'outbound_message', 'command', 'restored')
    ),
    name text NOT NULL,
    sameness bytea NOT NULL,
    content bytea NOT NULL,
    address text,
    digest bytea,
    body jsonb,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
    received_at timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    finished_at timestamptz,
    cycle_id bigint,
    receipt jsonb,
    problem text
);

CREATE UNIQUE INDEX request_sameness ON crm.request (account_id, sameness);
CREATE INDEX request_pending ON crm.request (account_id, seq) WHERE state = 'pending';
CREATE INDEX request_by_digest ON crm.request (account_id, digest) WHERE digest IS NOT NULL;

COMMENT ON TABLE crm.request IS 'What was asked and accepted: the queue, and the record of repetitions.';
COMMENT ON COLUMN crm.request.name IS 'Of the listener, the external source or the like.';
COMMENT ON COLUMN crm.request.sameness
IS 'Digest of what tells a repetition: the caller''s key, or whom and what it is about.';
COMMENT ON COLUMN crm.request.content IS 'Digest of what was asked: a repetition asks the same.';
COMMENT ON COLUMN crm.request.address IS 'The person''s; NULL once the request is done.';
COMMENT ON COLUMN crm.request.digest IS 'Keyed hash of the address.';
COMMENT ON COLUMN crm.request.body IS 'What is to be told; NULL once that is in the ledger.';
COMMENT ON COLUMN crm.request.receipt IS 'What was done, by place; without personal data.';

CREATE TABLE crm.erased (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    digest bytea NOT NULL,
    verb text NOT NULL CHECK (verb IN ('suppress', 'erase')),
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);

CREATE UNIQUE INDEX erased_digest ON crm.erased (account_id, digest);

COMMENT ON TABLE crm.erased
IS 'Tombstones: keyed hashes of the addresses of people who are not to be processed. They outlive '
   'an account.';
COMMENT ON COLUMN crm.erased.expires_at
IS 'Of an address that nobody knew: until when a row about it may be under way.';

CREATE TABLE crm.hash_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    ciphertext bytea NOT NULL
);

COMMENT ON TABLE crm.hash_key
IS 'The key of all hashes of addresses, sealed with the master keys; it never changes.';

CREATE TABLE crm.platform_user (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    user_id text NOT NULL,
    digest bytea NOT NULL,
    columns jsonb NOT NULL DEFAULT '{}',
    shipped_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, user_id)
);

CREATE INDEX platform_user_by_digest ON crm.platform_user (account_id, digest);

COMMENT ON TABLE crm.platform_user IS 'The platform''s users, as far as requests need them.';
COMMENT ON COLUMN crm.platform_user.columns IS 'The columns that filters of listeners name.';

-- The tombstones that came after some. The account's shared lock is taken first, and the statement
-- below it sees what was committed until then: a listener that holds the lock alone is awaited.
CREATE FUNCTION crm.hold_tombstones(account text, after_seq bigint)
RETURNS TABLE (seq bigint, digest bytea)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_lock_shared(hashtextextended('crm_pipeline tombstones ' || account, 0));
    RETURN QUERY
    SELECT e.seq, e.digest
    FROM crm.erased AS e
    WHERE e.account_id = account AND e.seq > after_seq AND coalesce(e.expires_at, now()) >= now()
    ORDER BY e.seq;
END $$;
