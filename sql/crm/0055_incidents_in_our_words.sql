-- What an org says of a refused record may quote a person: an incident is told in our own words.
UPDATE crm.incident SET message = '' WHERE subject <> 'Campaign';

COMMENT ON COLUMN crm.incident.message IS 'What to mend, in our own words.';
