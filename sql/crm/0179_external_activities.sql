-- External activities of Account Engagement: which stage of which membership it was told. One whose
-- answer was lost is not told again, as each one counts.
CREATE TABLE crm.external_activity (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    natural_key text NOT NULL,
    stage text NOT NULL,
    state text NOT NULL CHECK (state IN ('sending', 'told', 'refused')),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, natural_key, stage)
);

CREATE INDEX external_activity_of_day ON crm.external_activity (account_id, at);

-- What was there before an account told any is told of never.
CREATE TABLE crm.external_activity_account (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT now()
);
