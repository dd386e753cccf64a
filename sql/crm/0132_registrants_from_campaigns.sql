-- Members that people put into campaigns, whom the platform is to register or to invite.
CREATE TABLE crm.campaign_wish (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    member_id text NOT NULL,
    event_id bigint NOT NULL,
    campaign_id text NOT NULL,
    person_id text NOT NULL,
    email text NOT NULL,
    first_name text,
    last_name text,
    noticed_at timestamptz NOT NULL,
    told_at timestamptz,
    PRIMARY KEY (account_id, member_id)
);

COMMENT ON TABLE crm.campaign_wish IS 'Members whom the platform is to register or to invite.';
COMMENT ON COLUMN crm.campaign_wish.told_at IS 'NULL: waits for a cycle that has room for it.';

CREATE INDEX campaign_wish_waiting ON crm.campaign_wish (account_id, noticed_at)
WHERE told_at IS NULL;

-- Campaigns whose members were read once, since they changed before anybody looked.
CREATE TABLE crm.campaign_asked (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    campaign_id text NOT NULL,
    wanted text NOT NULL,
    PRIMARY KEY (account_id, campaign_id)
);

COMMENT ON COLUMN crm.campaign_asked.wanted IS 'The statuses that were looked for.';
