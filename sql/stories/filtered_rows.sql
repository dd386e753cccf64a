-- Rows that are not sent and of which nobody is known, the newest first.
SELECT natural_key
FROM crm.operation
WHERE
    account_id = :account_id
    AND kind = 'activity'
    AND state = 'rejected'
    AND person_key IS NULL
ORDER BY operation_id DESC
LIMIT :limit
