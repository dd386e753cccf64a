SELECT pg_advisory_unlock_shared(hashtextextended('crm_pipeline tombstones ' || :account_id, 0))
