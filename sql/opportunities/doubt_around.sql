-- Records around opportunities that were deleted or undeleted are read again: one may have moved to the
-- one into which they were merged, without a stamp.
WITH roles AS (
    UPDATE crm.opportunity_role AS r
    SET doubtful = true
    WHERE
        r.account_id = :account_id
        AND r.opportunity_id = any(CAST(:opportunity_ids AS text []))
)

UPDATE crm.opportunity_person AS p
SET doubtful = true
WHERE
    p.account_id = :account_id
    AND p.became_opportunity = any(CAST(:opportunity_ids AS text []))
