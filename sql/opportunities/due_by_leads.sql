-- Has matched anew the opportunities that tracked leads may concern which have changed, or whose
-- records have, since this was asked last.
WITH seen AS (
    SELECT r.leads_seen_at
    FROM crm.opportunity_reading AS r
    WHERE r.account_id = :account_id
),

moved AS (
    UPDATE crm.opportunity_reading AS r
    SET leads_seen_at = now()
    WHERE r.account_id = :account_id
),

leads AS (
    SELECT t.lead_id, t.person_key, t.phone
    FROM crm.tracked_lead AS t
    CROSS JOIN seen AS s
    WHERE t.account_id = :account_id AND t.changed_at >= s.leads_seen_at
    UNION
    SELECT t.lead_id, t.person_key, t.phone
    FROM crm.identity AS i
    CROSS JOIN seen AS s
    INNER JOIN crm.tracked_lead AS t
        ON i.account_id = t.account_id AND i.person_key = t.person_key
    WHERE i.account_id = :account_id AND i.seen_at >= s.leads_seen_at
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
        ON p.account_id = :account_id AND p.phones @> ARRAY[l.phone]
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
