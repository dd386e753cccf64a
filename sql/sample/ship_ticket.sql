-- A ticket that came in by the listener, as the platform ships it.
INSERT INTO warehouse.feedback_ticket (
    ticket_id, client_id, project, feedback_type, team, status, submitter_id, title, details,
    submitted_at, shipped_at
)
VALUES (
    :ticket_id, :client_id, :project, :feedback_type, :team, :status, CAST(:submitter AS bigint),
    :title, :details, now(), now()
)
ON CONFLICT (ticket_id) DO NOTHING
