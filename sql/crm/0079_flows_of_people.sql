-- A person of whom one flow wants something that others may add to has no parts yet.
DROP INDEX crm.operation_of_several_flows;
CREATE INDEX operation_of_several_flows ON crm.operation (account_id)
WHERE kind = 'person' AND intent ? 'unless_edited';
