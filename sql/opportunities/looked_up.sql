-- These were looked up. Of roles and people that were in doubt and not found, nothing is left.
WITH answered AS (
    DELETE FROM crm.opportunity_question AS q
    WHERE
        q.account_id = :account_id
        AND (
            (q.question = 'opportunity' AND q.record_id = any(CAST(:opportunities AS text [])))
            OR (q.question = 'converted' AND q.record_id = any(CAST(:converted AS text [])))
            OR (q.question = 'became' AND q.record_id = any(CAST(:became AS text [])))
        )
),

lost_people AS (
    UPDATE crm.opportunity_person AS p
    SET doubtful = false, deleted = true
    WHERE
        p.account_id = :account_id
        AND p.record_id = any(CAST(:people AS text []))
        AND p.doubtful
)

UPDATE crm.opportunity_role AS r
SET doubtful = false, deleted = true, read_at = now()
WHERE
    r.account_id = :account_id
    AND r.role_id = any(CAST(:roles AS text []) || CAST(:opportunities AS text []))
    AND r.doubtful
