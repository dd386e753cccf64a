-- Further addresses of people: with which they joined, though they had registered with another.
CREATE TABLE crm.person_alias (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    address text NOT NULL,
    person_key bigint NOT NULL,
    source_person text,
    taken boolean NOT NULL,
    as_of timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, address)
);

COMMENT ON TABLE crm.person_alias IS 'Further addresses of people; what comes with one is theirs.';
COMMENT ON COLUMN crm.person_alias.source_person
IS 'The platform''s id of the person: of this one the address may become the only one.';
COMMENT ON COLUMN crm.person_alias.taken
IS 'Somebody else has had this address: nothing follows from it, and people are told.';

CREATE INDEX person_alias_of_person ON crm.person_alias (person_key);
