-- Keeps Opportunities of Accounts whose Contacts have prospects, or had, as they were read.
INSERT INTO crm.engagement_aggregate AS a (
    account_id, salesforce_id, sobject, org_account, is_there, stamp
)
SELECT DISTINCT ON (s.salesforce_id)
    :account_id,
    s.salesforce_id,
    'Opportunity',
    s.org_account,
    s.is_there,
    s.stamp
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
    salesforce_id text, org_account text, is_there boolean, stamp timestamptz
)
WHERE EXISTS (
    SELECT
    FROM crm.engagement_aggregate AS k
    WHERE
        k.account_id = :account_id
        AND k.salesforce_id IN (s.salesforce_id, s.org_account)
)
ORDER BY s.salesforce_id ASC, s.stamp DESC
ON CONFLICT (account_id, salesforce_id) DO UPDATE
SET
    org_account = excluded.org_account,
    is_there = excluded.is_there,
    stamp = excluded.stamp,
    is_due = a.is_due
    OR (a.org_account, a.is_there) IS DISTINCT FROM (excluded.org_account, excluded.is_there)
WHERE a.stamp <= excluded.stamp
