-- Whoever works in this transaction; what it changes of an account is noted as theirs.
SELECT set_config('crm_pipeline.who', :who, true)
