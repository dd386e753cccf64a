-- A cycle of some steps that goes well leaves the account as it stood.

ALTER TABLE crm.cycle ADD COLUMN whole boolean NOT NULL DEFAULT true;

COMMENT ON COLUMN crm.cycle.whole
IS 'All steps of the flows that the account had on; one of some steps that goes well says nothing of
how the account stands.';
