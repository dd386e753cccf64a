-- Rows that were shipped anew below the watermark: their number stays, their times do not.
ALTER TABLE crm.source_position ADD COLUMN seen_seconds numeric NOT NULL DEFAULT 0;

COMMENT ON COLUMN crm.source_position.seen_seconds
IS 'Their times, as seconds after seen_since, added up: another sum means rows shipped anew.';
