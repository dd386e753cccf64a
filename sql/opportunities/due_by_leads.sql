-- Has matched anew the opportunities that some tracked leads may concern.
WITH leads AS MATERIALIZED (
    SELECT t.lead_id, t.person_key, t.phone
    FROM crm.tracked_lead AS t
    WHERE t.account_id = :account_id AND t.lead_id = any(CAST(:lead_ids AS text []))
),

people AS (
    SELECT p.record_id
    FROM leads AS l
    INNER JOIN crm.opportunity_person AS p
        ON p.account_id = :account_id AND l.lead_id = p.tracker_id
    UNION
    SELECT p.record_id
    FROM leads AS l
    INNER JOIN crm.opportunity_person AS p
        ON p.account_id = :account_id AND p.phones <> '{}' AND p.phones @> ARRAY[l.phone]
    UNION
    SELECT p.record_id
    FROM leads AS l
    INNER JOIN crm.person AS w ON l.person_key = w.person_key
    INNER JOIN crm.opportunity_person AS p
        ON p.account_id = :account_id AND w.address = p.email
    UNION
    SELECT i.salesforce_id
    FROM leads AS l
    INNER JOIN crm.identity AS i
        ON i.account_id = :account_id AND l.person_key = i.person_key
),

opportunities AS (
    SELECT r.opportunity_id
    FROM people AS p
    INNER JOIN crm.opportunity_role AS r
        ON r.account_id = :account_id AND p.record_id = r.contact_id
    UNION
    SELECT o.became_opportunity
    FROM people AS p
    INNER JOIN crm.opportunity_person AS o
        ON o.account_id = :account_id AND p.record_id = o.record_id
    UNION
    SELECT m.opportunity_id
    FROM leads AS l
    INNER JOIN crm.opportunity_match AS m
        ON m.account_id = :account_id AND l.lead_id = m.lead_id
    UNION
    SELECT o.opportunity_id
    FROM leads AS l
    INNER JOIN crm.opportunity AS o
        ON o.account_id = :account_id AND l.lead_id = o.record ->> CAST(:id_field AS text)
)

UPDATE crm.opportunity AS o
SET due = true
FROM opportunities AS c
WHERE o.account_id = :account_id AND o.opportunity_id = c.opportunity_id AND NOT o.due
