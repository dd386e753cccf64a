-- No-shows: whoever had registered for a session that is over, and that somebody attended. It is known
-- when each session ends and whether anybody was there, so that an account is asked for when the time
-- has come, though nothing new was shipped.

CREATE TABLE crm.session_end (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    event_session_id bigint NOT NULL,
    ends_at timestamptz NOT NULL,
    no_shows_at timestamptz,
    attended boolean NOT NULL DEFAULT false,
    derived boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, event_session_id)
);

COMMENT ON COLUMN crm.session_end.no_shows_at
IS 'When whoever has not come is a no-show; NULL: the account goes by what the source says.';
COMMENT ON COLUMN crm.session_end.attended IS 'Whether anybody was there, live.';
COMMENT ON COLUMN crm.session_end.derived
IS 'Whether the memberships of this session have been looked at as those of one that is over.';

-- Those that are to be looked at now or in some hours: few.
CREATE INDEX session_end_open ON crm.session_end (account_id, no_shows_at)
WHERE attended <> derived;

-- Members that other rules made are read again, and then it is known of each row.
ALTER TABLE crm.member_row ADD COLUMN event_session_id bigint;
ALTER TABLE crm.member_row ADD COLUMN attended boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.member_row.attended IS 'The row says that somebody was there, live.';

CREATE INDEX member_row_by_session ON crm.member_row (account_id, event_session_id);
