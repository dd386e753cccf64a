-- Accounts and Opportunities get what the Contacts of an Account have together.

ALTER TABLE crm.engagement_person
ADD COLUMN org_account text,
ADD COLUMN counted_at text;

CREATE INDEX engagement_person_by_org_account ON crm.engagement_person (account_id, org_account)
WHERE org_account IS NOT NULL;

COMMENT ON COLUMN crm.engagement_person.org_account
IS 'Of a Contact, its Account in the org, where the account has that read.';
COMMENT ON COLUMN crm.engagement_person.counted_at
IS 'The Account in the org that it counted for when it was said last.';

CREATE TABLE crm.engagement_aggregate (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    salesforce_id text NOT NULL,
    sobject text NOT NULL CHECK (sobject IN ('Account', 'Opportunity')),
    org_account text,
    is_there boolean NOT NULL DEFAULT true,
    is_sought boolean NOT NULL DEFAULT false,
    is_due boolean NOT NULL DEFAULT true,
    is_engaged boolean NOT NULL DEFAULT false,
    stamp timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (account_id, salesforce_id)
);

CREATE INDEX engagement_aggregate_by_org_account
ON crm.engagement_aggregate (account_id, org_account);
CREATE INDEX engagement_aggregate_due ON crm.engagement_aggregate (account_id, salesforce_id)
WHERE is_due;
CREATE INDEX engagement_aggregate_to_seek ON crm.engagement_aggregate (account_id, salesforce_id)
WHERE NOT is_sought AND sobject = 'Account';

COMMENT ON TABLE crm.engagement_aggregate
IS 'Accounts of the org whose Contacts have prospects, or had, and their Opportunities.';
COMMENT ON COLUMN crm.engagement_aggregate.org_account
IS 'The Account whose Contacts count: its own Id, or that of the Opportunity''s.';
COMMENT ON COLUMN crm.engagement_aggregate.is_there IS 'Not deleted.';
COMMENT ON COLUMN crm.engagement_aggregate.is_sought
IS 'Of an Account: its Opportunities were asked for; changes tell of further ones.';
COMMENT ON COLUMN crm.engagement_aggregate.is_due IS 'What is wanted of it is to be said anew.';
COMMENT ON COLUMN crm.engagement_aggregate.is_engaged
IS 'It has, or is to have, data of prospects.';
COMMENT ON COLUMN crm.engagement_aggregate.stamp IS 'SystemModstamp of what was read.';
