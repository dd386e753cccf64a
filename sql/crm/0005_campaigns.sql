-- Campaigns: which event is which campaign of the org, and who is a member there.

CREATE TABLE crm.campaign_link (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    event_id bigint NOT NULL,
    campaign_id text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, event_id)
);

COMMENT ON TABLE crm.campaign_link
IS 'Events whose campaign was named by a person; others are found or created by the settings.';

CREATE TABLE crm.event_campaign (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    event_id bigint NOT NULL,
    campaign_id text NOT NULL,
    missing_statuses jsonb NOT NULL DEFAULT '[]',
    is_new boolean NOT NULL DEFAULT false,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, event_id)
);

COMMENT ON TABLE crm.event_campaign IS 'The campaign of each event, as found or created.';
COMMENT ON COLUMN crm.event_campaign.missing_statuses
IS 'Statuses to be created there before any member is sent.';
COMMENT ON COLUMN crm.event_campaign.is_new
IS 'It was created a moment ago and nobody can be a member of it yet.';

CREATE TABLE crm.campaign_member (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    event_id bigint NOT NULL,
    person_key text NOT NULL,
    campaign_id text NOT NULL,
    person_id text NOT NULL,
    member_id text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, event_id, person_key)
);

COMMENT ON TABLE crm.campaign_member
IS 'Each membership that is in the org, and the Lead or Contact that it was sent for.';

CREATE TABLE crm.campaign_backfill (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    event_id bigint NOT NULL,
    rows bigint NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    PRIMARY KEY (account_id, event_id)
);

COMMENT ON TABLE crm.campaign_backfill
IS 'Events to be read again from their start because their link or the mapping changed.';

CREATE TABLE crm.campaign_mapping (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    fingerprint text NOT NULL
);

COMMENT ON TABLE crm.campaign_mapping
IS 'What the statuses and fields of members were when they were last read.';

-- People whom the org does not know, where the account creates nobody, and what waits for them.
CREATE INDEX operation_dropped_person ON crm.operation (account_id, person_key) WHERE state = 'dropped';
