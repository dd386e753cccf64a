CREATE TEMPORARY TABLE census (
    record_id text PRIMARY KEY,
    person_key text NOT NULL,
    became text,
    candidate jsonb NOT NULL
)
