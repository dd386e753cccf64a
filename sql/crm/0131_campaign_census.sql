-- The census of campaigns: how many members each has in the org, and which of ours are not there.
CREATE TABLE crm.campaign_census (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    event_id bigint NOT NULL,
    campaign_id text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    expected bigint NOT NULL,
    in_org bigint NOT NULL,
    waiting bigint NOT NULL,
    missing bigint [] NOT NULL,
    changed bigint [] NOT NULL,
    PRIMARY KEY (account_id, event_id)
);

COMMENT ON TABLE crm.campaign_census IS 'The last census of each event''s campaign.';
COMMENT ON COLUMN crm.campaign_census.expected IS 'Members that were sent and are to be there.';
COMMENT ON COLUMN crm.campaign_census.in_org IS 'All members, those that people made among them.';
COMMENT ON COLUMN crm.campaign_census.waiting IS 'Members that are still to be sent.';
COMMENT ON COLUMN crm.campaign_census.missing
IS 'People (person_key) who are not members there, at most 100.';
COMMENT ON COLUMN crm.campaign_census.changed
IS 'People (person_key) whose members have another status than we gave, at most 100.';

CREATE TABLE crm.campaign_census_request (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    requested_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE crm.campaign_census_request IS 'Accounts of which a census was asked for.';
