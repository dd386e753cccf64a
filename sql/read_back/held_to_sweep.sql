-- The next records of an object that an account holds, in the order of their Ids: what it has written,
-- and opportunities that belong to its tracked leads, with their contacts' roles.
SELECT r.salesforce_id
FROM crm.record AS r
WHERE r.account_id = :account_id AND r.sobject = :sobject AND r.salesforce_id > :after_id
UNION
SELECT i.salesforce_id
FROM crm.identity AS i
WHERE i.account_id = :account_id AND i.sobject = :sobject AND i.salesforce_id > :after_id
UNION
SELECT m.opportunity_id
FROM crm.opportunity_match AS m
WHERE
    :sobject = 'Opportunity'
    AND m.account_id = :account_id
    AND m.opportunity_id > :after_id
    AND NOT m.withdrawn
UNION
SELECT c.role_id
FROM crm.opportunity_match AS m
INNER JOIN crm.opportunity_role AS c
    ON m.account_id = c.account_id AND m.opportunity_id = c.opportunity_id
WHERE
    :sobject = 'OpportunityContactRole'
    AND m.account_id = :account_id
    AND c.role_id > :after_id
    AND NOT m.withdrawn
    AND NOT c.deleted
    AND c.role_id <> c.opportunity_id
ORDER BY salesforce_id
LIMIT :limit
