-- Keeps what became of Accounts: deleted, or merged into another one, which has their Contacts and
-- Opportunities now, whose own stamps a merge does not move.
WITH said AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
        salesforce_id text, is_there boolean, merged_into text
    )
),

contacts AS (
    UPDATE crm.engagement_person AS e
    SET org_account = s.merged_into, is_due = true
    FROM said AS s
    WHERE
        e.account_id = :account_id
        AND e.org_account = s.salesforce_id
        AND s.merged_into IS NOT NULL
),

opportunities AS (
    UPDATE crm.engagement_aggregate AS a
    SET org_account = s.merged_into, is_due = true
    FROM said AS s
    WHERE
        a.account_id = :account_id
        AND a.org_account = s.salesforce_id
        AND a.sobject = 'Opportunity'
        AND s.merged_into IS NOT NULL
)

UPDATE crm.engagement_aggregate AS a
SET is_there = s.is_there, is_due = true
FROM said AS s
WHERE
    a.account_id = :account_id
    AND a.salesforce_id = s.salesforce_id
    AND a.sobject = 'Account'
    AND a.is_there <> s.is_there
