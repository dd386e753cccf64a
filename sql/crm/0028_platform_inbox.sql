-- Messages to the source platform, where its own jobs read them from tables.

CREATE SCHEMA platform_inbox;

CREATE TABLE platform_inbox.message (
    message_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    client_id text NOT NULL,
    topic text NOT NULL,
    about text NOT NULL,
    version bigint NOT NULL,
    as_of timestamptz NOT NULL,
    body jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    taken_at timestamptz
);

CREATE INDEX message_to_take ON platform_inbox.message (written_at) WHERE taken_at IS NULL;
CREATE INDEX message_about ON platform_inbox.message (account_id, topic, about, version DESC);

COMMENT ON TABLE platform_inbox.message
IS 'Messages to the source platform: each is the whole new state of what it is about.';
COMMENT ON COLUMN platform_inbox.message.client_id IS 'The platform''s own name of the client.';
COMMENT ON COLUMN platform_inbox.message.version
IS 'Only grows for one about; of two messages the higher version holds.';
COMMENT ON COLUMN platform_inbox.message.taken_at
IS 'Set by the platform''s job that has taken the message; NULL: to be taken.';

CREATE VIEW platform_inbox.current AS
SELECT DISTINCT ON (m.account_id, m.topic, m.about)
    m.client_id, m.topic, m.about, m.version, m.as_of, m.body, m.message_id, m.account_id
FROM platform_inbox.message AS m
ORDER BY m.account_id, m.topic, m.about, m.version DESC;

COMMENT ON VIEW platform_inbox.current IS 'The latest state of each thing that was told.';
