SELECT
    kind,
    count(*) FILTER (WHERE state = 'pending') AS pending,
    count(*) FILTER (WHERE state = 'in_flight') AS in_flight,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state = 'exhausted') AS exhausted
FROM crm.operation
WHERE account_id = :account_id AND state IN ('pending', 'in_flight', 'failed', 'exhausted')
GROUP BY kind
