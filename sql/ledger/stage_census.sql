CREATE TEMPORARY TABLE census (
    record_id text PRIMARY KEY,
    address text NOT NULL,
    became text,
    candidate jsonb NOT NULL
)
