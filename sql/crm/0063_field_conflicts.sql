-- Values of people that the source and people in the org say differently, where a person is to decide
-- (the policy ask). The org's value stands until then.
CREATE TABLE crm.field_conflict (
    conflict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    person_key bigint NOT NULL REFERENCES crm.person ON DELETE CASCADE,
    sobject text NOT NULL,
    salesforce_id text NOT NULL,
    field text NOT NULL,
    there jsonb,
    wanted jsonb,
    decided text CHECK (decided IN ('org', 'source')),
    seen_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, person_key, field)
);

COMMENT ON COLUMN crm.field_conflict.there IS 'The value in the org, which people wrote.';
COMMENT ON COLUMN crm.field_conflict.wanted IS 'The value of the source.';
COMMENT ON COLUMN crm.field_conflict.decided
IS 'Whose value a person wants: org stays so while both say the same; source is written next.';
