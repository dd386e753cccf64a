-- Counts the operations of an account that are to be sent yet, by their kind.
SELECT
    kind,
    count(*) AS still_open
FROM crm.operation
WHERE account_id = :account_id AND state IN ('pending', 'held', 'in_flight')
GROUP BY kind
