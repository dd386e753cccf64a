-- Records go out topic by topic, window by window: by this each window reads what it takes, and not all
-- that waits of other topics. An operation that is done is not in it, so that costs nothing more.
CREATE INDEX operation_pending_record
ON crm.operation (account_id, (intent ->> 'topic'), operation_id)
WHERE kind = 'record' AND state = 'pending';
