-- What was wanted of these Accounts and Opportunities was said; those of :engaged have, or are to
-- have, data of prospects.
UPDATE crm.engagement_aggregate
SET is_due = false, is_engaged = salesforce_id = any(CAST(:engaged AS text []))
WHERE account_id = :account_id AND salesforce_id = any(CAST(:salesforce_ids AS text []))
