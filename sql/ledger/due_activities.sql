-- Activities to be sent whose person is in the org; oldest first. One of which an earlier
-- version has been sent updates that record.
SELECT
    o.operation_id,
    o.natural_key,
    o.person_key,
    o.intent,
    i.sobject AS person_sobject,
    i.salesforce_id AS person_id,
    earlier.sobject AS last_sobject,
    earlier.salesforce_id,
    earlier.person_key AS last_person_key,
    earlier.intent AS last_intent
FROM crm.operation AS o
INNER JOIN crm.identity AS i
    ON o.account_id = i.account_id AND o.person_key = i.person_key
LEFT JOIN LATERAL (
    SELECT e.sobject, e.salesforce_id, e.person_key, e.intent
    FROM crm.operation AS e
    WHERE
        o.version > 1
        AND e.account_id = o.account_id
        AND e.natural_key = o.natural_key
        AND e.version < o.version
        AND e.state = 'done'
    ORDER BY e.version DESC
    LIMIT 1
) AS earlier ON true
WHERE
    o.account_id = :account_id
    AND o.kind = 'activity'
    AND o.state = 'pending'
    AND o.operation_id > :after
    -- By the unique key: without statistics the planner would scan all that is open instead.
    AND NOT (
        o.version > 1
        AND 'in_flight' IN (
            SELECT f.state
            FROM crm.operation AS f
            WHERE f.account_id = o.account_id AND f.natural_key = o.natural_key
            OFFSET 0
        )
    )
ORDER BY o.operation_id
LIMIT :limit
