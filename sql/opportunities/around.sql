-- The people around some opportunities: leads converted into them, contacts with a role, and the leads
-- that became these contacts. A role of a deleted contact says nothing.
SELECT
    p.became_opportunity AS opportunity_id,
    NULL AS contact_id,
    false AS is_primary,
    p.record_id,
    p.tracker_id,
    p.email,
    p.phones
FROM crm.opportunity_person AS p
WHERE
    p.account_id = :account_id
    AND p.became_opportunity = any(CAST(:opportunity_ids AS text []))
UNION ALL
SELECT
    r.opportunity_id,
    r.contact_id,
    r.is_primary,
    p.record_id,
    p.tracker_id,
    p.email,
    p.phones
FROM crm.opportunity_role AS r
INNER JOIN crm.opportunity_person AS c
    ON r.account_id = c.account_id AND r.contact_id = c.record_id AND NOT c.deleted
INNER JOIN crm.opportunity_person AS p
    ON r.account_id = p.account_id AND r.contact_id IN (p.record_id, p.became_contact)
WHERE
    r.account_id = :account_id
    AND r.opportunity_id = any(CAST(:opportunity_ids AS text []))
    AND NOT r.deleted
ORDER BY opportunity_id, record_id
