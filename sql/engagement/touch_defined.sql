-- Prospects that have one of these tags or scores are to be said anew, and so are the people with
-- their addresses.
WITH touched AS (
    UPDATE crm.prospect AS p
    SET is_due = true
    WHERE
        p.account_id = :account_id
        AND (p.tags ?| CAST(:tags AS text []) OR p.scores ?| CAST(:scores AS text []))
    RETURNING p.email
)

UPDATE crm.engagement_person AS e
SET is_due = true
WHERE e.account_id = :account_id AND e.email IN (SELECT t.email FROM touched AS t)
