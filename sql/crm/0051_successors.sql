-- The successor of a person who was absorbed: references to the one mean the other. Of those who
-- were absorbed before, no successor is known; nothing refers to them yet.

ALTER TABLE crm.person
ADD COLUMN successor bigint,
ADD COLUMN absorbed_at timestamptz;

CREATE INDEX person_by_successor ON crm.person (successor) WHERE successor IS NOT NULL;

COMMENT ON COLUMN crm.person.successor
IS 'The person who stands for this one, to whom nothing points any more; never absorbed as well.';
