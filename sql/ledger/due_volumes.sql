-- Counts what is pending, as the API counts it: people to look up, people whose record is known,
-- decided updates by sObject, activities. With whether claims on people are to be settled.
SELECT
    count(*) FILTER (
        WHERE o.kind = 'person' AND o.action IS DISTINCT FROM 'update' AND i.person_key IS NULL
    ) AS unknown_people,
    count(*) FILTER (
        WHERE o.kind = 'person' AND o.action IS DISTINCT FROM 'update' AND i.person_key IS NOT NULL
    ) AS known_people,
    count(*) FILTER (
        WHERE o.kind = 'person' AND o.action = 'update' AND o.sobject = 'Lead'
    ) AS lead_updates,
    count(*) FILTER (
        WHERE o.kind = 'person' AND o.action = 'update' AND o.sobject = 'Contact'
    ) AS contact_updates,
    count(*) FILTER (WHERE o.kind = 'activity') AS activities,
    EXISTS (
        SELECT FROM crm.org_person AS c
        WHERE c.account_id = :account_id AND c.settled_at IS NULL
    ) AS has_claims
FROM crm.operation AS o
LEFT JOIN crm.identity AS i
    ON o.kind = 'person' AND o.account_id = i.account_id AND o.person_key = i.person_key
WHERE
    o.account_id = :account_id
    AND o.state = 'pending'
    AND o.kind IN ('person', 'activity')
