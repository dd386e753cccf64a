-- When something of an account is to be tried again next, however much waits for that.
CREATE INDEX operation_next_try ON crm.operation (account_id, next_attempt_at NULLS FIRST)
WHERE state = 'failed' AND attempts_left > 0;
