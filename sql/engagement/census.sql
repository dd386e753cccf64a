-- The last census of an account.
SELECT
    c.sobject,
    c.at_source,
    c.in_ledger,
    c.in_org,
    c.not_seen,
    c.not_ours
FROM crm.engagement_census AS c
WHERE c.account_id = :account_id
ORDER BY c.sobject
