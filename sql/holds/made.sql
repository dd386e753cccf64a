-- How much of each kind stands in the org by our hand.
SELECT
    kind,
    count(*) FILTER (WHERE action = 'create') - count(*) FILTER (WHERE action = 'delete') AS made
FROM crm.operation
WHERE account_id = :account_id AND state = 'done' AND kind = any(CAST(:kinds AS text []))
GROUP BY kind
