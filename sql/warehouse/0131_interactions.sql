-- What attendees did beside answering polls and chatting.
CREATE TABLE warehouse.interaction (
    interaction_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    attendance_id bigint NOT NULL,
    kind text NOT NULL,
    label text,
    value text,
    url text,
    at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX interaction_by_shipping ON warehouse.interaction (client_id, shipped_at);
CREATE INDEX interaction_by_attendance ON warehouse.interaction (attendance_id);

COMMENT ON COLUMN warehouse.interaction.kind
IS 'question, survey, resource, link, rating, certificate or reaction.';
