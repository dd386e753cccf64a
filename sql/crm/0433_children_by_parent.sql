-- Not by the account first: before anything is counted, the planner takes any index that begins with the
-- account for as good as any other, and read all records that were ever wanted to count those that wait.
-- Records without a parent are not in it.
DROP INDEX crm.operation_children;

CREATE INDEX operation_children
ON crm.operation ((intent ->> 'parent'), (intent ->> 'topic'), account_id)
WHERE kind = 'record' AND intent ->> 'parent' IS NOT NULL;

-- As it was, but younger than operation_unsettled: of two that cost the same as far as is known, the
-- planner takes the younger one. By the other one it reads what waits of all topics for each of them.
DROP INDEX crm.operation_pending_record;

CREATE INDEX operation_pending_record
ON crm.operation (account_id, (intent ->> 'topic'), operation_id)
WHERE kind = 'record' AND state = 'pending';
