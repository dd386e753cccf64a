-- Roles of contacts that were merged into others are theirs; the org may have moved them without a
-- stamp, so they are read again, and so is whoever is not known. Leads that became the one became the
-- other.
WITH merged AS (
    SELECT p.record_id AS loser, p.merged_into AS winner
    FROM crm.opportunity_person AS p
    WHERE
        p.account_id = :account_id
        AND p.record_id = any(CAST(:record_ids AS text []))
        AND p.merged_into IS NOT NULL
),

roles AS (
    UPDATE crm.opportunity_role AS r
    SET contact_id = m.winner, doubtful = true
    FROM merged AS m
    WHERE r.account_id = :account_id AND r.contact_id = m.loser
),

-- The account of a person who is gone may be another one's now.
accounts AS (
    UPDATE crm.opportunity_role AS r
    SET doubtful = true
    FROM crm.opportunity_person AS p
    WHERE
        r.account_id = :account_id
        AND r.contact_id = any(CAST(:record_ids AS text []))
        AND r.role_id = r.opportunity_id
        AND NOT r.deleted
        AND r.account_id = p.account_id
        AND r.contact_id = p.record_id
        AND p.deleted
        AND p.merged_into IS NULL
),

leads AS (
    UPDATE crm.opportunity_person AS p
    SET became_contact = m.winner
    FROM merged AS m
    WHERE p.account_id = :account_id AND p.became_contact = m.loser
),

winners AS (
    INSERT INTO crm.opportunity_person (account_id, record_id, doubtful)
    SELECT DISTINCT :account_id, m.winner, true
    FROM merged AS m
    ON CONFLICT DO NOTHING
    RETURNING record_id
)

INSERT INTO crm.opportunity_question (account_id, question, record_id)
SELECT :account_id, 'became', w.record_id
FROM winners AS w
ON CONFLICT DO NOTHING
