-- Messages to the platform; one that stands there already is the same.
INSERT INTO platform_inbox.message (
    message_id, account_id, client_id, topic, about, version, as_of, body
)
SELECT m.message_id, m.account_id, m.client_id, m.topic, m.about, m.version, m.as_of, m.body
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS m (
    message_id uuid,
    account_id text,
    client_id text,
    topic text,
    about text,
    version bigint,
    as_of timestamptz,
    body jsonb
)
ON CONFLICT (message_id) DO NOTHING
