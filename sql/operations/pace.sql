-- How many records the last cycle of an account has sent, and in how many seconds, so far.
SELECT
    coalesce(sum(cardinality(s.operation_ids)), 0) AS records,
    extract(EPOCH FROM coalesce(max(s.ended_at), now()) - min(s.sent_at)) AS seconds
FROM crm.sending AS s
WHERE
    s.account_id = :account_id
    AND s.ended_at IS NOT NULL
    AND s.cycle_id = (SELECT max(c.cycle_id) FROM crm.cycle AS c WHERE c.account_id = :account_id)
