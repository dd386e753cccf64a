WITH answered AS (
    DELETE FROM crm.campaign_census_request WHERE account_id = :account_id
),

former AS (
    DELETE FROM crm.campaign_census
    WHERE account_id = :account_id AND campaign_key <> all(CAST(:keys AS text []))
)

INSERT INTO crm.campaign_census (
    account_id, campaign_key, campaign_id, expected, in_org, waiting, missing, changed
)
SELECT
    :account_id,
    c.campaign_key,
    c.campaign_id,
    c.expected,
    c.in_org,
    c.waiting,
    c.missing,
    c.changed
FROM jsonb_to_recordset(CAST(:counted AS jsonb)) AS c (
    campaign_key text,
    campaign_id text,
    expected bigint,
    in_org bigint,
    waiting bigint,
    missing bigint [],
    changed bigint []
)
ON CONFLICT (account_id, campaign_key) DO UPDATE
SET
    campaign_id = excluded.campaign_id,
    taken_at = now(),
    expected = excluded.expected,
    in_org = excluded.in_org,
    waiting = excluded.waiting,
    missing = excluded.missing,
    changed = excluded.changed
