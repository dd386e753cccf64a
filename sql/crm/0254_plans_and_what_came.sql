-- What became of a plan, row by row, once the cycle after it has ended.
ALTER TABLE crm.plan
ADD COLUMN org_time timestamptz,
ADD COLUMN seen_by bigint,
ADD COLUMN as_planned integer,
ADD COLUMN explained integer,
ADD COLUMN unexplained integer;

UPDATE crm.plan SET org_time = made_at, seen_by = coalesce(cycle_id, 0);
ALTER TABLE crm.plan ALTER COLUMN org_time SET NOT NULL;

CREATE INDEX plan_unseen ON crm.plan (account_id) WHERE seen_by IS NULL;

COMMENT ON COLUMN crm.plan.org_time
IS 'By the org''s clock: what was changed there from then on, the plan may not know.';
COMMENT ON COLUMN crm.plan.seen_by
IS 'The next cycle after it: only that can be held against it. 0: it was not, in former times.';
COMMENT ON COLUMN crm.plan.as_planned IS 'Rows that came as it says; NULL: nothing was compared.';
COMMENT ON COLUMN crm.plan.explained IS 'Rows that came otherwise for a reason that is known.';
COMMENT ON COLUMN crm.plan.unexplained IS 'Rows that came otherwise for none: a bug.';

ALTER TABLE crm.plan_row
ADD COLUMN version integer NOT NULL DEFAULT 1,
ADD COLUMN wanted bytea;
ALTER TABLE crm.plan_row ALTER COLUMN version DROP DEFAULT;

COMMENT ON COLUMN crm.plan_row.version IS 'Of the operation.';
COMMENT ON COLUMN crm.plan_row.wanted IS 'A hash of what the source wants.';

CREATE TABLE crm.plan_departure (
    plan_id bigint NOT NULL REFERENCES crm.plan ON DELETE CASCADE,
    operation_id bigint,
    about text NOT NULL,
    address text,
    sobject text NOT NULL,
    foreseen text,
    became text,
    reason text NOT NULL,
    salesforce_ids text [] NOT NULL,
    explanation text
);

CREATE INDEX plan_departure_of_plan ON crm.plan_departure (plan_id);
CREATE INDEX plan_departure_by_address ON crm.plan_departure (address);

COMMENT ON TABLE crm.plan_departure IS 'Rows that came otherwise than a plan says.';
COMMENT ON COLUMN crm.plan_departure.foreseen IS 'NULL: nothing was.';
COMMENT ON COLUMN crm.plan_departure.became IS 'NULL: there was nothing to be done any more.';
COMMENT ON COLUMN crm.plan_departure.salesforce_ids
IS 'The records that were there: the plan''s, and that which it became.';
COMMENT ON COLUMN crm.plan_departure.explanation IS 'Why; NULL: nothing explains it.';

-- What the source wants of an operation; numbers of people are other ones in each plan.
CREATE FUNCTION crm.plan_wanted(intent jsonb) RETURNS bytea
IMMUTABLE LANGUAGE sql
RETURN sha256(convert_to((intent - 'refs')::text, 'UTF8'));
