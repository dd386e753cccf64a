-- Whether the org showed all records that it holds for each account, and no others of the objects,
-- when they were counted last. Accounts without a census pass.
SELECT
    a.account_id,
    count(c.sobject) FILTER (
        WHERE c.in_org IS NULL OR c.not_seen <> '{}' OR c.not_ours <> '{}'
    ) = 0 AS passed,
    count(c.sobject) AS objects,
    coalesce(sum(cardinality(c.not_seen)), 0) AS not_seen,
    coalesce(sum(cardinality(c.not_ours)), 0) AS not_ours,
    coalesce(extract(EPOCH FROM now() - min(c.taken_at)) / 3600, 0)::double precision
        AS hours_since_it_was_taken
FROM crm.account AS a
LEFT JOIN crm.engagement_census AS c ON a.account_id = c.account_id
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
