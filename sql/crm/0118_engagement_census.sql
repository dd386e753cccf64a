-- The census of the engagement workflow: how many records of each object there are, and where.

CREATE TABLE crm.engagement_census (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    sobject text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    at_source bigint,
    in_ledger bigint NOT NULL,
    in_org bigint,
    not_seen text [] NOT NULL,
    not_ours text [] NOT NULL,
    PRIMARY KEY (account_id, sobject)
);

COMMENT ON TABLE crm.engagement_census IS 'The last census of an account.';
COMMENT ON COLUMN crm.engagement_census.at_source
IS 'Rows of the source that one record each stands for; NULL: no table of it does.';
COMMENT ON COLUMN crm.engagement_census.in_org IS 'NULL: the org does not show the object.';
COMMENT ON COLUMN crm.engagement_census.not_seen
IS 'Natural keys of held records that the org did not show.';
COMMENT ON COLUMN crm.engagement_census.not_ours IS 'Ids of records that nothing is held for.';

CREATE TABLE crm.engagement_census_request (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    requested_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE crm.engagement_census_request IS 'Accounts of which a census was asked for.';
