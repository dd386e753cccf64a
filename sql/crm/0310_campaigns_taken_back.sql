-- What we took back out of an org: whether a campaign is among it is one look. Few accounts have any.
CREATE INDEX operation_taken_back ON crm.operation (account_id, salesforce_id)
WHERE kind = 'undo' AND state = 'done' AND action = 'delete';
