-- The org that each account's deliveries go to. The ledger is about that org's records: in
-- another one it would be wrong. Without a reference to crm.account, as the ledger has none: both
-- outlive an account, and count again where its id is given anew.

CREATE TABLE crm.account_org (
    account_id text PRIMARY KEY,
    client_id text NOT NULL,
    organization_id text NOT NULL,
    other_organization_id text,
    login_url text NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX account_org_by_organization ON crm.account_org (organization_id);

COMMENT ON COLUMN crm.account_org.client_id IS 'The client whose webinars went there.';
COMMENT ON COLUMN crm.account_org.other_organization_id
IS 'Another org that a login led to; nothing is sent before a person has decided.';
COMMENT ON COLUMN crm.account_org.login_url IS 'Where the last login that led there went.';
