-- An event, a session or a poll question that is shipped late brings what was shipped before it.

CREATE INDEX event_by_shipping ON warehouse.event (client_id, shipped_at);
CREATE INDEX event_session_by_shipping ON warehouse.event_session (client_id, shipped_at);
CREATE INDEX event_session_by_event ON warehouse.event_session (event_id);
CREATE INDEX poll_question_by_shipping ON warehouse.poll_question (client_id, shipped_at);
CREATE INDEX poll_answer_by_question ON warehouse.poll_answer (poll_question_id);
