-- By which settings of attribution people are wanted as they are: with others all is said anew.
CREATE TABLE crm.attribution_said (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    fingerprint text NOT NULL
);
