-- People whom an operator gave up: what comes of them later is rejected with that reason.

CREATE INDEX operation_dropped ON crm.operation (account_id, natural_key) WHERE state = 'dropped';
