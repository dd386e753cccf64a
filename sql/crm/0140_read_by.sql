-- Rows that were read by the same choices, and have not changed since, are not read again.
ALTER TABLE crm.source_position ADD COLUMN read_by bytea;

COMMENT ON COLUMN crm.source_position.read_by
IS 'Digest of the choices by which the rows seen were read; NULL: not known.';
