-- Incidents in our own words: an org's message about a refused record may quote a person.
UPDATE crm.incident SET message = '' WHERE subject <> 'Campaign';

COMMENT ON COLUMN crm.incident.message IS 'What to mend, in our own words.';
