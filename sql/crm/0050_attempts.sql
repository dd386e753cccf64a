-- The number of tries that an operation has in all stands with it: five, or as many as its topic
-- says. Nothing that is there changes, but for records whose topic says so.

ALTER TABLE crm.operation ADD COLUMN attempts smallint NOT NULL DEFAULT 5;

COMMENT ON COLUMN crm.operation.attempts IS 'Tries in all; attempts_left are those that are left.';

UPDATE crm.operation
SET attempts = CAST(intent ->> 'attempts' AS smallint)
WHERE kind = 'record' AND intent ? 'attempts';
