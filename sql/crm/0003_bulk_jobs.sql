-- Bulk jobs that were closed and of which the outcome is not recorded yet. A job runs by itself:
-- after a crash it is seen to an end before anything that it may have written is looked up.

CREATE TABLE crm.bulk_job (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    job_id text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, job_id)
);
