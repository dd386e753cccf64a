-- A removal looks among those of the account.
CREATE INDEX candidate_by_account ON crm.candidate (account_id);
