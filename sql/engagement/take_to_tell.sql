-- Leads and Contacts of which the source is to be told; they are told by this.
UPDATE crm.engagement_person AS e
SET is_to_tell = false
WHERE e.account_id = :account_id AND e.is_to_tell
RETURNING e.salesforce_id, e.sobject, e.email, e.is_there, e.is_converted, e.is_engaged, e.columns
