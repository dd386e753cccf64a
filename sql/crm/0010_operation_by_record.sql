-- Finds whose activity a record of the org is: one that is somebody's is nobody else's.
CREATE INDEX operation_of_activity ON crm.operation (salesforce_id)
WHERE kind = 'activity' AND salesforce_id IS NOT NULL;
