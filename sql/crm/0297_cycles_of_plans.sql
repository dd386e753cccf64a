-- A cycle that did not come to its end leaves the rest of a plan to the next one: they are held against
-- it together.
ALTER TABLE crm.plan ADD COLUMN begun_by bigint;
UPDATE crm.plan SET begun_by = seen_by;
DROP INDEX crm.plan_unseen;

COMMENT ON COLUMN crm.plan.begun_by IS 'The first cycle after it; NULL: there was none yet.';
COMMENT ON COLUMN crm.plan.seen_by
IS 'The newest cycle that saw it; where it was Complete no further one does, and with those since begun_by '
   'it is held against the plan. 0: none was, in former times.';
