-- The flow's memory of what it said, beside what is wanted: of a member, the stage that each row of
-- the source gave it. Another memory alone is no news, and sends nothing.

ALTER TABLE crm.operation ADD COLUMN memory jsonb;

COMMENT ON COLUMN crm.operation.memory
IS 'What the flow remembers beside the intent: of a member, the session and stage of each row.';

-- Members of which something is held: few.
CREATE INDEX operation_unknown_word ON crm.operation (account_id)
WHERE memory -> 'unknown' IS NOT NULL;
