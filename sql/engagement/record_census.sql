-- Records a census in place of the one before; the request for it is done.
WITH request AS (
    DELETE FROM crm.engagement_census_request WHERE account_id = :account_id
),

said AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
        sobject text,
        at_source bigint,
        in_ledger bigint,
        in_org bigint,
        not_seen text [],
        not_ours text []
    )
),

former AS (
    DELETE FROM crm.engagement_census AS c
    WHERE
        c.account_id = :account_id
        AND c.sobject NOT IN (SELECT s.sobject FROM said AS s)
)

INSERT INTO crm.engagement_census AS c (
    account_id, sobject, at_source, in_ledger, in_org, not_seen, not_ours
)
SELECT
    :account_id,
    s.sobject,
    s.at_source,
    s.in_ledger,
    s.in_org,
    s.not_seen,
    s.not_ours
FROM said AS s
ON CONFLICT (account_id, sobject) DO UPDATE
SET
    taken_at = now(),
    at_source = excluded.at_source,
    in_ledger = excluded.in_ledger,
    in_org = excluded.in_org,
    not_seen = excluded.not_seen,
    not_ours = excluded.not_ours
