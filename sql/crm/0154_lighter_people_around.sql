-- Opportunities, their roles and the people around them are kept ten thousand at once by whoever holds the
-- account: no row of theirs is checked against it.

ALTER TABLE crm.opportunity DROP CONSTRAINT opportunity_account_id_fkey;
ALTER TABLE crm.opportunity_role DROP CONSTRAINT opportunity_role_account_id_fkey;
ALTER TABLE crm.opportunity_person DROP CONSTRAINT opportunity_person_account_id_fkey;
ALTER TABLE crm.opportunity_question DROP CONSTRAINT opportunity_question_account_id_fkey;

-- Most people have no number; those who have are found at once, without a list of what is pending.
DROP INDEX crm.opportunity_person_by_phone;
CREATE INDEX opportunity_person_by_phone ON crm.opportunity_person USING gin (phones)
WITH (fastupdate = off) WHERE phones <> '{}';
