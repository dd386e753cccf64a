-- Whether an earlier cycle has left anything: bulk jobs that may run on, operations whose outcome is not
-- known, and operations that failed.
SELECT
    EXISTS (SELECT FROM crm.bulk_job AS j WHERE j.account_id = :account_id)
    OR EXISTS (
        SELECT FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.state IN ('in_flight', 'failed')
    )
