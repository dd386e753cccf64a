-- Plans that are kept, so that exactly what they say can be sent.
CREATE TABLE crm.plan (
    plan_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    start_at timestamptz,
    of_some_people boolean NOT NULL,
    cycle_id bigint
);

CREATE INDEX plan_by_account ON crm.plan (account_id, plan_id);

COMMENT ON COLUMN crm.plan.start_at IS 'The start that was tried; NULL: the account''s own.';
COMMENT ON COLUMN crm.plan.cycle_id IS 'The cycle that did what it says.';

CREATE TABLE crm.plan_row (
    plan_id bigint NOT NULL REFERENCES crm.plan ON DELETE CASCADE,
    about text NOT NULL,
    address text,
    sobject text NOT NULL,
    outcome text NOT NULL,
    salesforce_id text,
    unknown text [] NOT NULL,
    content bytea
);

CREATE INDEX plan_row_by_about ON crm.plan_row (plan_id, about);
CREATE INDEX plan_row_by_address ON crm.plan_row (address);

COMMENT ON COLUMN crm.plan_row.about IS 'The operation, as crm.plan_about names it.';
COMMENT ON COLUMN crm.plan_row.address IS 'The email address of the person whom it is about.';
COMMENT ON COLUMN crm.plan_row.salesforce_id IS 'The record; NULL: a new one.';
COMMENT ON COLUMN crm.plan_row.unknown IS 'Fields that name a record which is only to be made.';
COMMENT ON COLUMN crm.plan_row.content IS 'A hash of the other fields and their values.';

-- A person who is new to a plan has another number in the cycle that follows.
CREATE FUNCTION crm.plan_about(kind text, natural_key text, address text) RETURNS text
IMMUTABLE LANGUAGE sql
RETURN CASE
    WHEN kind IN ('person', 'member') AND address IS NOT NULL
        THEN regexp_replace(natural_key, '[0-9]+$', '') || address
    ELSE natural_key
END;

CREATE FUNCTION crm.plan_content(fields jsonb, unknown text []) RETURNS bytea
IMMUTABLE LANGUAGE sql
RETURN sha256(convert_to((fields - unknown)::text, 'UTF8'));
