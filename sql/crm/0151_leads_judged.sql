-- Leads of a tracker are judged anew where the account's choices say otherwise who calls, or who is sent.

ALTER TABLE crm.attribution_said ADD COLUMN judged_by bytea;

COMMENT ON COLUMN crm.attribution_said.judged_by
IS 'Digest of the choices by which leads have their number and are sent or not. NULL: not known.';
