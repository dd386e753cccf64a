-- True where no other process tells people of alerts, until this transaction ends.
SELECT pg_try_advisory_xact_lock(hashtextextended('crm_pipeline alerts', 0))
