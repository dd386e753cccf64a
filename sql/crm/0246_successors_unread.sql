-- Whoever absorbs a record that has data of a prospect may be read by another call than that: until
-- then it is kept who it is, and asked for.

ALTER TABLE crm.engagement_person ADD COLUMN unread_successor text;

CREATE INDEX engagement_person_unread ON crm.engagement_person (account_id, unread_successor)
WHERE unread_successor IS NOT NULL;

COMMENT ON COLUMN crm.engagement_person.unread_successor
IS 'The Id of who stands for it since it was merged or converted, where that was not read yet.';
