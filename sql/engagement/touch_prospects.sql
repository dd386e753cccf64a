-- These prospects are to be said anew, and so are the people with their addresses; those not known
-- are passed over. :all is for every one.
WITH touched AS (
    UPDATE crm.prospect AS p
    SET is_due = true
    WHERE
        p.account_id = :account_id
        AND (:all OR p.prospect_id = any(CAST(:prospect_ids AS text [])))
    RETURNING p.email
)

UPDATE crm.engagement_person AS e
SET is_due = true
WHERE
    e.account_id = :account_id
    AND (:all OR e.email IN (SELECT t.email FROM touched AS t))
