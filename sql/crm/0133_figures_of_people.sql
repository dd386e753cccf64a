-- What each row says of its person, of accounts that have figures of people on their Leads and Contacts.
CREATE TABLE crm.person_row (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    is_attendance boolean NOT NULL,
    row_id bigint NOT NULL,
    person_key bigint NOT NULL,
    event_session_id bigint NOT NULL,
    at timestamptz NOT NULL,
    minutes double precision,
    PRIMARY KEY (account_id, is_attendance, row_id)
);

COMMENT ON TABLE crm.person_row IS 'Rows that count in figures of people: registrations, attendances.';

CREATE INDEX person_row_by_person ON crm.person_row (account_id, person_key);
