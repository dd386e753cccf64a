SELECT pg_advisory_xact_lock(hashtextextended('crm_pipeline tombstones ' || :account_id, 0))
