-- Values of people of which either may stand in the org, as an update's answer was lost: both are
-- ours, so that the policies of fields take neither for people's edit.
ALTER TABLE crm.identity ADD COLUMN doubted jsonb;

COMMENT ON COLUMN crm.identity.doubted
IS 'By field, the values that we may have written there last; NULL where all answers came.';
