-- The same index as one expression: before anything is counted, the planner takes any index that
-- begins with the account for as good as this one, and reads all operations of it for each record.

DROP INDEX crm.operation_by_record_key;

CREATE INDEX operation_by_record_key
ON crm.operation ((account_id || ' ' || (intent ->> 'sobject') || ' ' || lower(intent -> 'key' ->> 1)))
WHERE kind = 'record';
