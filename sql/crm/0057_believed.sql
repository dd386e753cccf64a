-- So many rows vanished from a source at once that they were not believed, until a person said so.
ALTER TABLE crm.source_count ADD COLUMN believed bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN crm.source_count.believed
IS 'Up to so many vanished rows are believed by the next count: a person has said that they are meant.';
