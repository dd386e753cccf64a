-- Has matched anew the opportunities around which some people of the org are.
UPDATE crm.opportunity AS o
SET due = true
FROM (
    SELECT r.opportunity_id
    FROM crm.opportunity_role AS r
    WHERE
        r.account_id = :account_id AND r.contact_id = any(CAST(:record_ids AS text []))
    UNION
    SELECT p.became_opportunity
    FROM crm.opportunity_person AS p
    WHERE p.account_id = :account_id AND p.record_id = any(CAST(:record_ids AS text []))
    UNION
    SELECT r.opportunity_id
    FROM crm.opportunity_person AS p
    INNER JOIN crm.opportunity_role AS r
        ON p.account_id = r.account_id AND p.became_contact = r.contact_id
    WHERE p.account_id = :account_id AND p.record_id = any(CAST(:record_ids AS text []))
) AS c
WHERE o.account_id = :account_id AND o.opportunity_id = c.opportunity_id AND NOT o.due
