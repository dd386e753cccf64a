-- A further code of what is left out: people of whom nothing is to be sent any more.
COMMENT ON COLUMN crm.operation.reason_code
IS 'Of what is left out: UNKNOWN_PERSON, REFERENCE_LEFT_OUT, PERSON_DROPPED, NOTHING_ABOUT_THEM.';
