-- Whoever leaves a session and comes back has one attendance, though the source has a row for each
-- visit: the first one's has the activity, the others are part of it.
CREATE TABLE crm.visit (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    attendance_id bigint NOT NULL,
    person_key bigint NOT NULL,
    event_session_id bigint,
    on_demand boolean NOT NULL DEFAULT false,
    part_of bigint,
    PRIMARY KEY (account_id, attendance_id)
);

COMMENT ON TABLE crm.visit IS 'Rows of attendances that have an activity or are part of one that has.';
COMMENT ON COLUMN crm.visit.event_session_id
IS 'NULL of one whose activity is from before visits were known, until it is read again.';
COMMENT ON COLUMN crm.visit.part_of IS 'The row whose activity it is part of; NULL: it has its own.';

CREATE INDEX visit_by_place ON crm.visit (account_id, person_key, event_session_id);
