-- Leads of a tracker, as they were read last, each with the person that it is about.

CREATE TABLE crm.tracked_lead (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    lead_id text NOT NULL,
    happened_at timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    rejected_because text,
    email text,
    phone text,
    address text,
    person_key bigint,
    columns jsonb NOT NULL,
    moved boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, lead_id)
);

CREATE INDEX tracked_lead_by_person ON crm.tracked_lead (account_id, person_key);
CREATE INDEX tracked_lead_by_phone ON crm.tracked_lead (account_id, phone);
CREATE INDEX tracked_lead_moved ON crm.tracked_lead (account_id) WHERE moved;

COMMENT ON TABLE crm.tracked_lead
IS 'All that the tracker told of each lead, so that the first and the last touch of a person do not '
   'depend on the order of reading; opportunities are matched with these.';
COMMENT ON COLUMN crm.tracked_lead.as_of IS 'When this was shipped to the warehouse.';
COMMENT ON COLUMN crm.tracked_lead.rejected_because
IS 'Why it is not sent: spam, duplicate, no address; such a lead has no person.';
COMMENT ON COLUMN crm.tracked_lead.email IS 'The address that it gives, as email_key writes it.';
COMMENT ON COLUMN crm.tracked_lead.address
IS 'By which its person is known: the email address, else that of the one person of its number, '
   'else the number itself (tel:+4930901820).';
COMMENT ON COLUMN crm.tracked_lead.phone
IS 'Its number with country code and extension, if it is a valid one.';
COMMENT ON COLUMN crm.tracked_lead.columns IS 'The extract''s columns that say something.';
COMMENT ON COLUMN crm.tracked_lead.moved
IS 'Its person became another one since: what is wanted of that one is to be said anew.';

ALTER TABLE crm.person_pointer DROP CONSTRAINT person_pointer_kind_check;
ALTER TABLE crm.person_pointer ADD CONSTRAINT person_pointer_kind_check
CHECK (kind IN ('platform', 'tracked_lead'));

COMMENT ON COLUMN crm.person.address
IS 'The email address that is the person''s now, as email_key writes it; of somebody who never gave '
   'one the phone number (tel:+4930901820). NULL: all that pointed to this person points to another '
   'one by now, who has what was not sent yet.';
