SELECT job_id FROM crm.bulk_job WHERE account_id = :account_id ORDER BY started_at
