INSERT INTO crm.bulk_job (account_id, job_id) VALUES (:account_id, :job_id)
