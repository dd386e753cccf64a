-- The accounts whose next cycle can be planned: those that have cycles, and drafts.
SELECT account_id
FROM crm.account
WHERE enabled OR activated_at IS NULL
ORDER BY account_id
