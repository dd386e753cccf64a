-- Whether somebody has changed a record since we left it is told by the org's clock.
ALTER TABLE crm.sending ADD COLUMN org_ended_at timestamptz;

COMMENT ON COLUMN crm.sending.org_ended_at
IS 'The time at which it ended, by the org''s clock; NULL: the process died, or nobody answered.';
