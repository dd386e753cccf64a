-- What was wanted of these people was said; those of :engaged have, or are to have, data of a
-- prospect.
UPDATE crm.engagement_person
SET is_due = false, is_engaged = salesforce_id = any(CAST(:engaged AS text []))
WHERE account_id = :account_id AND salesforce_id = any(CAST(:salesforce_ids AS text []))
