-- The Opportunities of these Accounts were asked for.
UPDATE crm.engagement_aggregate
SET is_sought = true
WHERE account_id = :account_id AND salesforce_id = any(CAST(:org_accounts AS text []))
