-- Leads and Contacts of which something is to be said.
SELECT
    e.salesforce_id,
    e.sobject,
    e.email,
    e.is_there,
    e.is_converted,
    e.is_engaged,
    e.columns
FROM crm.engagement_person AS e
WHERE e.account_id = :account_id AND e.is_due
ORDER BY e.salesforce_id
LIMIT :limit
