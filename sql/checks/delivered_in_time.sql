-- How long what was read already waits for Salesforce; exhausted operations are another check's.
SELECT
    a.account_id,
    coalesce(min(o.created_at) > now() - make_interval(mins => :freshness_minutes), true)
        AS passed,
    count(o.operation_id) AS waiting,
    coalesce(extract(epoch FROM now() - min(o.created_at)) / 60, 0)::double precision
        AS oldest_minutes
FROM crm.account AS a
LEFT JOIN crm.operation AS o
    ON a.account_id = o.account_id AND o.state IN ('pending', 'in_flight', 'failed')
WHERE a.account_id = any(CAST(:account_ids AS text []))
GROUP BY a.account_id
