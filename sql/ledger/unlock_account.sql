SELECT pg_advisory_unlock(hashtextextended('crm_pipeline account ' || :account_id, 0))
