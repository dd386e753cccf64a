-- The daily clean-up looks for those of old times.
CREATE INDEX candidate_by_time ON crm.candidate (looked_at);
