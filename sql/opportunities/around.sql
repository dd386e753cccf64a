-- The people around some opportunities: leads converted into them, contacts with a role, and the leads
-- that became these contacts. A role of a deleted contact says nothing. The person who is the account has a
-- role under the opportunity's own Id.
WITH contacts AS MATERIALIZED (
    SELECT
        r.opportunity_id,
        r.contact_id,
        r.is_primary,
        r.role_id = r.opportunity_id AS is_account,
        c.tracker_id,
        c.email,
        c.phones
    FROM crm.opportunity_role AS r
    INNER JOIN crm.opportunity_person AS c
        ON r.account_id = c.account_id AND r.contact_id = c.record_id AND NOT c.deleted
    WHERE
        r.account_id = :account_id
        AND r.opportunity_id = any(CAST(:opportunity_ids AS text []))
        AND NOT r.deleted
)

SELECT
    c.opportunity_id,
    c.contact_id,
    c.is_primary,
    c.is_account,
    c.contact_id AS record_id,
    c.tracker_id,
    c.email,
    c.phones
FROM contacts AS c
UNION ALL
SELECT
    c.opportunity_id,
    c.contact_id,
    c.is_primary,
    c.is_account,
    p.record_id,
    p.tracker_id,
    p.email,
    p.phones
FROM contacts AS c
INNER JOIN crm.opportunity_person AS p
    ON p.account_id = :account_id AND c.contact_id = p.became_contact
UNION ALL
SELECT
    p.became_opportunity,
    NULL,
    false,
    false,
    p.record_id,
    p.tracker_id,
    p.email,
    p.phones
FROM crm.opportunity_person AS p
WHERE
    p.account_id = :account_id
    AND p.became_opportunity = any(CAST(:opportunity_ids AS text []))
ORDER BY opportunity_id, record_id
