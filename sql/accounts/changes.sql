-- The last changes of an account's choices, newest first.
SELECT changed_at, changed_by, choice, was, became
FROM crm.account_change
WHERE account_id = :account_id
ORDER BY change_id DESC
LIMIT :limit
