-- Ten thousand opportunities are kept at once: no row of theirs is checked against another table.

ALTER TABLE crm.opportunity_firing
DROP CONSTRAINT opportunity_firing_account_id_opportunity_id_fkey;
ALTER TABLE crm.opportunity_stage
DROP CONSTRAINT opportunity_stage_account_id_opportunity_id_fkey;
ALTER TABLE crm.opportunity_match
DROP CONSTRAINT opportunity_match_account_id_opportunity_id_fkey;
