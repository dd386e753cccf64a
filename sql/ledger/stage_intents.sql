CREATE TEMPORARY TABLE IF NOT EXISTS staged_intent (
    natural_key text PRIMARY KEY,
    kind text NOT NULL,
    person_key bigint,
    as_of timestamptz NOT NULL,
    content_hash bytea NOT NULL,
    intent jsonb NOT NULL,
    memory jsonb,
    rejected_because text,
    undoes boolean NOT NULL
) ON COMMIT DELETE ROWS
