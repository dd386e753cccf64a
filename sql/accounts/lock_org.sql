-- Until the transaction ends, nobody else decides who works in this org.
SELECT pg_advisory_xact_lock(hashtextextended('crm_pipeline org ' || :organization_id, 0))
