-- What is held waits like what is pending, and is found with all that is open.
CREATE INDEX operation_unsettled ON crm.operation (account_id, state, kind, operation_id)
WHERE state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted');
DROP INDEX crm.operation_by_state;
DROP INDEX crm.operation_held;
