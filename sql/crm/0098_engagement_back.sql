-- What the source is told of matched Leads and Contacts, and of their owners.

ALTER TABLE crm.engagement_person ADD COLUMN is_to_tell boolean NOT NULL DEFAULT false;

CREATE INDEX engagement_person_to_tell ON crm.engagement_person (account_id, salesforce_id)
WHERE is_to_tell;
CREATE INDEX engagement_person_by_owner
ON crm.engagement_person (account_id, (columns ->> 'owner_id'));

COMMENT ON COLUMN crm.engagement_person.is_to_tell
IS 'The address of its owner is another one: the source is to be told.';
COMMENT ON COLUMN crm.engagement_person.columns IS 'The values that the source is told, and owner_id.';
