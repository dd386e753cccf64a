-- The records of an account that are being sent now, by what is done to them and how.
SELECT
    sobject,
    action,
    route,
    sum(cardinality(operation_ids)) AS records,
    min(sent_at) AS since
FROM crm.sending
WHERE account_id = :account_id AND ended_at IS NULL
GROUP BY sobject, action, route
ORDER BY since, sobject, action
