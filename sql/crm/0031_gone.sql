-- A version may want what an earlier one brought to the org to be gone: its row vanished from the
-- source or is filtered out, and the account has such things deleted.

ALTER TABLE crm.operation ADD COLUMN gone boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.operation.gone
IS 'This version wants what an earlier one brought to the org to be gone; `reason` says why.';
