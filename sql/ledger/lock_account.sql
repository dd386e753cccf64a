SELECT pg_try_advisory_lock(hashtextextended('crm_pipeline account ' || :account_id, 0))
