-- What was rejected, of all accounts in the order of numbers: it may lie far apart among what was sent.
CREATE INDEX operation_rejected ON crm.operation (operation_id) WHERE state = 'rejected';
