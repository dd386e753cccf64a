-- The stages of which something is to be taken back, in their order.
SELECT DISTINCT CAST(o.intent ->> 'stage' AS integer) AS stage
FROM crm.operation AS o
WHERE o.account_id = :account_id AND o.kind = 'undo' AND o.state = 'pending'
ORDER BY stage
