-- The sample warehouse: what a webinar platform knows of its clients' events, and when each
-- row was shipped here. A warehouse of your own may look otherwise: see sql/extract/.

CREATE SCHEMA warehouse;

CREATE TABLE warehouse.client (
    client_id text PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE warehouse.event (
    event_id bigint PRIMARY KEY,
    client_id text NOT NULL REFERENCES warehouse.client,
    name text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.event_session (
    event_session_id bigint PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES warehouse.event,
    client_id text NOT NULL REFERENCES warehouse.client,
    title text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

-- What follows is shipped in any order, so nothing here refers to a row that must come first.

CREATE TABLE warehouse.person (
    person_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    email text,
    first_name text,
    surname text,
    title text,
    job_title text,
    company_name text,
    address_1 text,
    address_2 text,
    address_3 text,
    city text,
    county text,
    postal_code text,
    country_code text,
    phone_1 text,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX person_by_shipping ON warehouse.person (client_id, shipped_at);

CREATE TABLE warehouse.registration (
    registration_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    event_session_id bigint NOT NULL,
    person_id bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('registered', 'cancelled')),
    source text,
    registered_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX registration_by_shipping ON warehouse.registration (client_id, shipped_at);
CREATE INDEX registration_by_person ON warehouse.registration (person_id);
CREATE INDEX registration_by_session ON warehouse.registration (event_session_id);

CREATE TABLE warehouse.attendance (
    attendance_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    event_session_id bigint NOT NULL,
    person_id bigint NOT NULL,
    attended_at timestamptz NOT NULL,
    minutes_attended integer,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX attendance_by_shipping ON warehouse.attendance (client_id, shipped_at);
CREATE INDEX attendance_by_person ON warehouse.attendance (person_id);
CREATE INDEX attendance_by_session ON warehouse.attendance (event_session_id);

CREATE TABLE warehouse.poll_question (
    poll_question_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    event_session_id bigint NOT NULL,
    position integer NOT NULL,
    question text NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX poll_question_by_session ON warehouse.poll_question (event_session_id);

CREATE TABLE warehouse.poll_answer (
    poll_answer_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    poll_question_id bigint NOT NULL,
    attendance_id bigint NOT NULL,
    answer text,
    answered_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX poll_answer_by_shipping ON warehouse.poll_answer (client_id, shipped_at);
CREATE INDEX poll_answer_by_attendance ON warehouse.poll_answer (attendance_id);

CREATE TABLE warehouse.chat_message (
    chat_message_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    attendance_id bigint NOT NULL,
    message text NOT NULL,
    sent_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX chat_message_by_shipping ON warehouse.chat_message (client_id, shipped_at);
CREATE INDEX chat_message_by_attendance ON warehouse.chat_message (attendance_id);

CREATE TABLE warehouse.chat_reply (
    chat_reply_id bigint PRIMARY KEY,
    client_id text NOT NULL,
    chat_message_id bigint NOT NULL,
    reply text NOT NULL,
    replied_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE INDEX chat_reply_by_shipping ON warehouse.chat_reply (client_id, shipped_at);
CREATE INDEX chat_reply_by_message ON warehouse.chat_reply (chat_message_id);
