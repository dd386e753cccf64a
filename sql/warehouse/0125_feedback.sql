-- Feedback tickets of a user-testing platform: each belongs to a project and a type, and moves
-- through a workflow of teams and statuses.
CREATE TABLE warehouse.feedback_ticket (
    ticket_id text PRIMARY KEY,
    client_id text NOT NULL,
    project text NOT NULL,
    feedback_type text NOT NULL,
    team text NOT NULL,
    status text NOT NULL,
    submitter_id bigint,
    title text,
    details text,
    submitted_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX feedback_ticket_by_shipping ON warehouse.feedback_ticket (client_id, shipped_at);
CREATE INDEX feedback_ticket_by_submitter ON warehouse.feedback_ticket (submitter_id);
