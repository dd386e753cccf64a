-- What was wanted of these people was said; those of :engaged have, or are to have, data of a
-- prospect. The Accounts that Contacts count for, or counted for, are to be said anew.
WITH former AS (
    SELECT
        e.salesforce_id,
        e.counted_at
    FROM crm.engagement_person AS e
    WHERE e.account_id = :account_id AND e.salesforce_id = any(CAST(:salesforce_ids AS text []))
),

said AS (
    UPDATE crm.engagement_person AS e
    SET
        is_due = false,
        is_engaged = e.salesforce_id = any(CAST(:engaged AS text [])),
        counted_at
        = CASE WHEN e.salesforce_id = any(CAST(:engaged AS text [])) THEN e.org_account END
    FROM former AS f
    WHERE e.account_id = :account_id AND e.salesforce_id = f.salesforce_id
    RETURNING f.counted_at AS former, e.counted_at
),

concerned AS (
    SELECT s.former AS org_account FROM said AS s
    WHERE s.former IS NOT NULL
    UNION
    SELECT s.counted_at FROM said AS s
    WHERE s.counted_at IS NOT NULL
),

opportunities AS (
    UPDATE crm.engagement_aggregate AS a
    SET is_due = true
    FROM concerned AS c
    WHERE
        a.account_id = :account_id
        AND a.org_account = c.org_account
        AND a.sobject = 'Opportunity'
)

INSERT INTO crm.engagement_aggregate (account_id, salesforce_id, sobject, org_account)
SELECT
    :account_id,
    c.org_account,
    'Account',
    c.org_account
FROM concerned AS c
ON CONFLICT (account_id, salesforce_id) DO UPDATE SET is_due = true
