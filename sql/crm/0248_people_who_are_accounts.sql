-- Whose account is a person is around an opportunity by that: those that wait are read again for it.
INSERT INTO crm.opportunity_question (account_id, question, record_id)
SELECT o.account_id, 'opportunity', o.opportunity_id
FROM crm.opportunity AS o
WHERE o.waits_because IS NOT NULL AND NOT o.deleted
ON CONFLICT DO NOTHING;

COMMENT ON COLUMN crm.opportunity_role.role_id
IS 'The Id in the org; that of the opportunity where there is no role but that its account is this person.';
