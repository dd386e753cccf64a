-- The record of an org that stands for an address, shared by the accounts of that org: an account
-- that is to create a person there claims the address first, so that no two accounts create one.

CREATE TABLE crm.org_person (
    organization_id text NOT NULL,
    address_key text NOT NULL,
    account_id text NOT NULL,
    sobject text,
    salesforce_id text,
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    PRIMARY KEY (organization_id, address_key)
);

CREATE INDEX org_person_unsettled ON crm.org_person (account_id) WHERE settled_at IS NULL;

COMMENT ON TABLE crm.org_person
IS 'People whom accounts created in an org that several of them share; others look them up there.';
COMMENT ON COLUMN crm.org_person.account_id IS 'Who creates it, or did.';
COMMENT ON COLUMN crm.org_person.salesforce_id IS 'NULL: it is being created.';
