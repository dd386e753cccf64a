-- What was done since an older copy of these tables is not all found at once: a row may come, or come
-- back, long after the copy was noticed. So what it does not know is kept.
ALTER TABLE crm.ledger_mark
ADD COLUMN known_until timestamptz,
ADD COLUMN looked_through boolean NOT NULL DEFAULT false,
ADD COLUMN adopts boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.ledger_mark.known_until
IS 'By the org''s clock: what was sent later an older copy does not know. NULL: it is none, or knows nothing.';
COMMENT ON COLUMN crm.ledger_mark.looked_through
IS 'What was written to the org since then was looked through: it is looked at, or sent, again.';
COMMENT ON COLUMN crm.ledger_mark.adopts
IS 'A person said that what our user made in the org and the copy does not know is the account''s.';

CREATE TABLE crm.unknown_activity (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    salesforce_id text NOT NULL,
    subject text,
    happened_at text NOT NULL,
    is_deleted boolean NOT NULL,
    PRIMARY KEY (account_id, salesforce_id)
);

COMMENT ON TABLE crm.unknown_activity
IS 'Activities that our user made in the org, and no operation did as far as an older copy knows.';
