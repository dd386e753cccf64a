-- The sample warehouse in DuckDB, as the migrations beside this file make it in PostgreSQL.

CREATE SCHEMA warehouse;

CREATE TABLE warehouse.attendance (
    attendance_id bigint NOT NULL,
    client_id text NOT NULL,
    event_session_id bigint NOT NULL,
    person_id bigint NOT NULL,
    attended_at timestamptz NOT NULL,
    minutes_attended integer,
    shipped_at timestamptz NOT NULL,
    kind text,
    role text,
    joined_as text
);

CREATE TABLE warehouse.chat_message (
    chat_message_id bigint NOT NULL,
    client_id text NOT NULL,
    attendance_id bigint NOT NULL,
    message text NOT NULL,
    sent_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.chat_reply (
    chat_reply_id bigint NOT NULL,
    client_id text NOT NULL,
    chat_message_id bigint NOT NULL,
    reply text NOT NULL,
    replied_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.client (
    client_id text NOT NULL,
    name text NOT NULL
);

CREATE TABLE warehouse.event (
    event_id bigint NOT NULL,
    client_id text NOT NULL,
    name text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL,
    series text,
    budget decimal(18, 2)
);

CREATE TABLE warehouse.event_session (
    event_session_id bigint NOT NULL,
    event_id bigint NOT NULL,
    client_id text NOT NULL,
    title text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.feedback_ticket (
    ticket_id text NOT NULL,
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

CREATE TABLE warehouse.interaction (
    interaction_id bigint NOT NULL,
    client_id text NOT NULL,
    attendance_id bigint NOT NULL,
    kind text NOT NULL,
    label text,
    value text,
    url text,
    "at" timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.person (
    person_id bigint NOT NULL,
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

CREATE TABLE warehouse.poll_answer (
    poll_answer_id bigint NOT NULL,
    client_id text NOT NULL,
    poll_question_id bigint NOT NULL,
    attendance_id bigint NOT NULL,
    answer text,
    answered_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.poll_question (
    poll_question_id bigint NOT NULL,
    client_id text NOT NULL,
    event_session_id bigint NOT NULL,
    position integer NOT NULL,
    question text NOT NULL,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.prospect (
    client_id text NOT NULL,
    prospect_id text NOT NULL,
    email text,
    first_name text,
    last_name text,
    company text,
    phone text,
    favorite boolean,
    temperature decimal(18, 2),
    predictive_score decimal(18, 2),
    first_visit timestamptz,
    last_visit timestamptz,
    visits integer,
    life_cycle text,
    merged_into text,
    salesforce_id text,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.prospect_page (
    client_id text NOT NULL,
    page_id text NOT NULL,
    prospect_id text NOT NULL,
    kind text,
    url text,
    title text,
    referrer text,
    seconds integer,
    visited_at timestamptz,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.prospect_score (
    client_id text NOT NULL,
    prospect_id text NOT NULL,
    score_id text NOT NULL,
    value decimal(18, 2),
    grade text,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.prospect_tag (
    client_id text NOT NULL,
    prospect_id text NOT NULL,
    tag_id text NOT NULL,
    since timestamptz,
    times integer,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.registration (
    registration_id bigint NOT NULL,
    client_id text NOT NULL,
    event_session_id bigint NOT NULL,
    person_id bigint NOT NULL,
    status text NOT NULL,
    source text,
    registered_at timestamptz NOT NULL,
    shipped_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    role text,
    utm_source text,
    utm_medium text,
    utm_campaign text,
    utm_term text,
    utm_content text,
    referrer text,
    landing_page text,
    answers json,
    consent text,
    consent_at timestamptz,
    consent_text text,
    replaced_by bigint,
    join_link text
);

CREATE TABLE warehouse.score_definition (
    client_id text NOT NULL,
    score_id text NOT NULL,
    name text NOT NULL,
    kind text,
    description text,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.tag_definition (
    client_id text NOT NULL,
    tag_id text NOT NULL,
    name text NOT NULL,
    category text,
    description text,
    shipped_at timestamptz NOT NULL
);

CREATE TABLE warehouse.tracked_lead (
    lead_id bigint NOT NULL,
    client_id text NOT NULL,
    kind text NOT NULL,
    happened_at timestamptz NOT NULL,
    is_spam boolean NOT NULL,
    is_duplicate boolean NOT NULL,
    contact_name text,
    company_name text,
    email text,
    phone text,
    city text,
    county text,
    postal_code text,
    country_code text,
    message text,
    duration_seconds integer,
    recording_url text,
    source text,
    medium text,
    campaign text,
    keyword text,
    content text,
    landing_page text,
    referrer text,
    gclid text,
    gbraid text,
    wbraid text,
    fbclid text,
    shipped_at timestamptz NOT NULL
);
