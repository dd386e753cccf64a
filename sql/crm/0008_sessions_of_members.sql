-- Each flow reads a session that is pushed from now on from its start.

ALTER TABLE crm.pushed_session ADD COLUMN members_read_at timestamptz;

COMMENT ON COLUMN crm.pushed_session.members_read_at
IS 'When its participants were first read as members of campaigns; backfilled_at: as activities.';
