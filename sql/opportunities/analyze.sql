-- So many opportunities are due that the planner is to know of them before they are matched: of a first
-- reading it knows nothing. Where somebody else does the same at this time, that is enough.
ANALYZE (SKIP_LOCKED)
crm.opportunity (account_id, opportunity_id, due),
crm.opportunity_role (account_id, role_id, opportunity_id, contact_id),
crm.opportunity_person (account_id, record_id, phones, became_contact, became_opportunity),
crm.opportunity_match (account_id, opportunity_id, lead_id),
crm.opportunity_question (account_id, question, record_id)
