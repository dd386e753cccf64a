-- The clients that an account delivered to an org before it became another client's, or went to
-- another org: its deliveries are still there, and another account would make them a second time.

CREATE TABLE crm.client_in_org (
    organization_id text NOT NULL,
    client_id text NOT NULL,
    account_id text NOT NULL,
    left_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (organization_id, client_id, account_id)
);

COMMENT ON TABLE crm.client_in_org
IS 'Clients that accounts delivered to an org in former times (crm.account_org has the present).';
