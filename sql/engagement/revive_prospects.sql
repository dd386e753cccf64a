-- People took the records of these prospects out of the bin: all of them is wanted again.
WITH back AS (
    UPDATE crm.prospect AS p
    SET is_gone = false, is_due = true, deleted_record = NULL
    WHERE
        p.account_id = :account_id
        AND p.is_gone
        AND p.deleted_record = any(CAST(:salesforce_ids AS text []))
    RETURNING p.email
)

UPDATE crm.engagement_person AS e
SET is_due = true
WHERE e.account_id = :account_id AND e.email IN (SELECT b.email FROM back AS b)
