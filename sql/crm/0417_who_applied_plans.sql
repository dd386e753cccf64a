-- A plan that is applied tells when, and who wanted it: cycles go after some days.
ALTER TABLE crm.plan ADD COLUMN applied_at timestamptz, ADD COLUMN applied_by text;

COMMENT ON COLUMN crm.plan.applied_at IS 'When the cycle that did what it says had ended.';
COMMENT ON COLUMN crm.plan.applied_by IS 'Who had it applied.';
