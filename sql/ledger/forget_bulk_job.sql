DELETE FROM crm.bulk_job WHERE account_id = :account_id AND job_id = :job_id
