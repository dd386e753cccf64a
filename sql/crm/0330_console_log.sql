-- Who looked at whom in the console, and who did what. Accounts and people are named by what they are
-- called here, and not referred to: what was done stays when they are gone.
CREATE TABLE crm.console_log (
    log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    role text NOT NULL,
    action text NOT NULL,
    account_id text,
    people bigint [] NOT NULL,
    detail text NOT NULL
);

CREATE INDEX console_log_by_person ON crm.console_log USING gin (people);

COMMENT ON TABLE crm.console_log IS 'What people have looked at and done in the console; never purged.';
COMMENT ON COLUMN crm.console_log.people IS 'Whom they saw, by crm.person.person_key.';
COMMENT ON COLUMN crm.console_log.detail IS 'Without personal data.';
