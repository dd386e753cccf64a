-- What comes in pieces, a share in each cycle, is judged as the whole that it is.
ALTER TABLE crm.brake ADD COLUMN pile jsonb;

COMMENT ON COLUMN crm.brake.pile
IS 'What cycles let through that read on in the next one; NULL: the last one had read all.';
