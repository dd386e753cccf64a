-- The callers' own keys of requests: by them a repetition is told, and how a request stands is asked.
CREATE TABLE crm.request_key (
    account_id text NOT NULL,
    key bytea NOT NULL,
    content bytea NOT NULL,
    request_id uuid NOT NULL REFERENCES crm.request (request_id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, key)
);

COMMENT ON COLUMN crm.request_key.key IS 'Digest of the door and the key.';
COMMENT ON COLUMN crm.request_key.content
IS 'Digest of what was asked with it: the same key with something else is a mistake.';
