-- The tracked leads that may be meant, by what they are known by: their id, a record that stands or
-- stood for the person, the person's address, or the lead's own number and those of its person.
WITH people AS (
    SELECT 'record' AS known_by, i.salesforce_id AS value, coalesce(p.successor, p.person_key) AS person_key
    FROM crm.identity AS i
    INNER JOIN crm.person AS p ON i.person_key = p.person_key
    WHERE i.account_id = :account_id AND i.salesforce_id = any(CAST(:records AS text []))
    UNION
    SELECT 'record', o.salesforce_id, coalesce(p.successor, p.person_key)
    FROM crm.operation AS o
    INNER JOIN crm.person AS p ON o.person_key = p.person_key
    WHERE
        o.account_id = :account_id
        AND o.kind = 'person'
        AND o.salesforce_id = any(CAST(:records AS text []))
    UNION
    SELECT 'email', p.address, p.person_key
    FROM crm.person AS p
    WHERE p.account_id = :account_id AND p.address = any(CAST(:emails AS text []))
    UNION
    SELECT 'phone', t.phone, t.person_key
    FROM crm.tracked_lead AS t
    WHERE t.account_id = :account_id AND t.phone = any(CAST(:phones AS text []))
)

SELECT w.known_by, w.value, t.lead_id, t.happened_at, t.person_key
FROM people AS w
-- By the index, person by person: without statistics the planner would go through all people for each
-- lead of the account instead.
CROSS JOIN LATERAL (
    SELECT l.lead_id, l.happened_at, l.person_key
    FROM crm.tracked_lead AS l
    WHERE l.account_id = :account_id AND l.person_key = w.person_key AND l.rejected_because IS NULL
    OFFSET 0
) AS t
UNION ALL
SELECT 'id', t.lead_id, t.lead_id, t.happened_at, t.person_key
FROM crm.tracked_lead AS t
WHERE
    t.account_id = :account_id
    AND t.lead_id = any(CAST(:lead_ids AS text []))
    AND t.rejected_because IS NULL
