-- These were looked up. Of roles and people that were in doubt and not found, nothing is left.
WITH read_by_id AS (
    DELETE FROM crm.opportunity_wanted AS w
    WHERE
        w.account_id = :account_id
        AND w.opportunity_id = any(CAST(:opportunities AS text []))
),

around AS (
    UPDATE crm.opportunity AS o
    SET looked_up = true
    WHERE
        o.account_id = :account_id
        AND o.opportunity_id = any(CAST(:around AS text []))
),

people AS (
    UPDATE crm.opportunity_person AS p
    SET looked_up = true
    WHERE
        p.account_id = :account_id AND p.record_id = any(CAST(:became AS text []))
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
    AND r.role_id = any(CAST(:roles AS text []))
    AND r.doubtful
