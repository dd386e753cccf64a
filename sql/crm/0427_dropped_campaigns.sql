-- A further code of what is left out: members of events whose campaign an operator dropped.
COMMENT ON COLUMN crm.operation.reason_code
IS 'Of what is left out: UNKNOWN_PERSON, REFERENCE_LEFT_OUT, PERSON_DROPPED, CAMPAIGN_DROPPED, '
'NOTHING_ABOUT_THEM.';
