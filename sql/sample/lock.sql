SELECT pg_advisory_xact_lock(hashtextextended('crm_pipeline sample', 0))
